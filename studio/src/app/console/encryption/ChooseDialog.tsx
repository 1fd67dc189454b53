import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { AreaField, Segments, TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import type { Kind } from './types'

type Field = 'key_id' | 'address' | 'region' | 'mount' | 'namespace' | 'authority' | 'token' | 'access_key' | 'secret_key'

const KINDS: readonly Kind[] = ['local', 'aws', 'vault']
/** What each service needs to be told, in the order in which one reads it there. */
const FIELDS: Readonly<Record<Kind, readonly Field[]>> = {
  local: [],
  aws: ['key_id', 'region', 'access_key', 'secret_key', 'address'],
  vault: ['key_id', 'address', 'token', 'mount', 'namespace', 'authority'],
}
const OPTIONAL: Readonly<Record<Kind, readonly Field[]>> = { local: [], aws: ['address'], vault: ['mount', 'namespace', 'authority'] }
const SECRET: readonly Field[] = ['token', 'secret_key']

/** Another key service for this space. It is tried before anything changes. */
export function ChooseDialog({ kind: now, onClose }: { kind: Kind; onClose: () => void }) {
  const [kind, setKind] = useState<Kind>(now === 'local' ? 'vault' : now)
  const [given, setGiven] = useState<Partial<Record<Field, string>>>({})
  const value = (field: Field) => (given[field] ?? '').trim()
  const choose = async () => {
    const told = Object.fromEntries(FIELDS[kind].map((field) => [field, value(field)] as const).filter(([, text]) => text))
    await api.put('/encryption/service', { kind, ...told }, { key: newKey() })
    refresh('/encryption')
    toast(t('console.encryption.chosen'), 'ok')
    onClose()
  }
  const ready = FIELDS[kind].every((field) => OPTIONAL[kind].includes(field) || value(field))
  const set = (field: Field) => (text: string) => setGiven({ ...given, [field]: text })
  return (
    <FormDialog open onClose={onClose} title={t('console.encryption.choose')} verb={t('console.encryption.use')} act={choose} ready={ready}>
      <Segments label={t('console.encryption.service')} value={kind} options={KINDS.map((one) => ({ value: one, label: t(`console.encryption.kind.${one}`) }))} onValue={setKind} />
      <p className="eh-muted">{t(`console.encryption.kind.${kind}.text`)}</p>
      {FIELDS[kind].map((field) => (
        <ServiceField key={field} kind={kind} field={field} value={given[field] ?? ''} onText={set(field)} />
      ))}
    </FormDialog>
  )
}

function ServiceField({ kind, field, value, onText }: { kind: Kind; field: Field; value: string; onText: (text: string) => void }) {
  const optional = OPTIONAL[kind].includes(field)
  const name = t(`console.encryption.field.${field}`)
  const label = optional ? t('console.encryption.optional', { name }) : name
  const hint = field === 'key_id' ? t(kind === 'aws' ? 'console.encryption.field.key_id.aws' : 'console.encryption.field.key_id.vault') : field === 'address' && kind === 'aws' ? t('console.encryption.field.address.aws') : undefined
  if (field === 'authority') return <AreaField label={label} value={value} onText={onText} spellCheck={false} rows={3} placeholder="-----BEGIN CERTIFICATE-----" />
  return (
    <TextField
      label={label}
      hint={hint}
      type={SECRET.includes(field) ? 'password' : 'text'}
      value={value}
      onText={onText}
      required={!optional}
      autoComplete="off"
      spellCheck={false}
    />
  )
}
