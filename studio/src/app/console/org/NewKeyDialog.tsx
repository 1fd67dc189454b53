import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Checkbox, FieldGroup, Segments, SelectField, TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'
import { CopyText } from '../CopyText'

/** Makes a key and shows it, this once. */
export function NewKeyDialog({ open, onClose, mode: given }: { open: boolean; onClose: () => void; mode: 'live' | 'test' }) {
  const [name, setName] = useState('')
  const [mode, setMode] = useState(given)
  const [write, setWrite] = useState(true)
  const [manage, setManage] = useState(false)
  const [days, setDays] = useState('0')
  const [key, setKey] = useState<string | null>(null)
  const close = () => {
    setKey(null)
    setName('')
    onClose()
  }
  const create = async () => {
    const scopes = ['read', ...(write ? ['write'] : []), ...(manage ? ['manage'] : [])]
    const expires = Number(days) ? { expires_at: new Date(Date.now() + Number(days) * 86_400_000).toISOString() } : {}
    setKey((await api.post<{ key: string }>('/keys', { name: name.trim(), mode, scopes, ...expires }, { key: newKey() })).key)
    refresh('/keys')
  }
  const shown = (
    <>
      <p>{t('console.keys.once')}</p>
      <CopyText text={key ?? ''} label={t('console.keys.key')} />
    </>
  )
  const modes = (['live', 'test'] as const).map((value) => ({ value, label: t(`console.mode.${value}`) }))
  const lives = [{ value: '0', label: t('console.keys.never') }, ...['30', '90', '365'].map((value) => ({ value, label: t('console.keys.days', { count: Number(value) }) }))]
  return (
    <FormDialog
      open={open}
      onClose={close}
      title={t(key === null ? 'console.keys.new' : 'console.keys.made')}
      verb={t('console.keys.create')}
      act={create}
      ready={name.trim() !== ''}
      made={key === null ? null : { content: shown, verb: t('console.keys.kept') }}
    >
      <TextField label={t('console.keys.name')} hint={t('console.keys.name.hint')} value={name} onText={setName} required maxLength={100} />
      <Segments label={t('console.keys.mode')} value={mode} options={modes} onValue={setMode} />
      <FieldGroup label={t('console.keys.may')}>
        <Checkbox label={t('console.scope.read')} checked disabled onChecked={() => undefined} />
        <Checkbox label={t('console.scope.write')} hint={t('console.scope.write.hint')} checked={write} onChecked={setWrite} />
        <Checkbox label={t('console.scope.manage')} hint={t('console.scope.manage.hint')} checked={manage} onChecked={setManage} />
      </FieldGroup>
      <SelectField label={t('console.keys.expires')} value={days} options={lives} onValue={setDays} />
    </FormDialog>
  )
}
