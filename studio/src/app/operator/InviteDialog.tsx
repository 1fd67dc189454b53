import { useState } from 'react'
import { api, newKey } from '../../ui/api'
import { Checkbox, FieldGroup, SelectField, TextField } from '../../ui/Field'
import { FormDialog } from '../../ui/FormDialog'
import { t } from '../../ui/messages'
import { refresh } from '../../ui/useApi'
import { CopyLink } from '../console/CopyLink'
import type { OperatorOrg } from './types'

type Role = 'annotator' | 'reviewer' | 'operator'

/** A single-use link for another operator, or for somebody of the shared workforce. */
export function InviteDialog({ open, onClose, orgs }: { open: boolean; onClose: () => void; orgs: readonly OperatorOrg[] }) {
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('annotator')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [link, setLink] = useState<string | null>(null)
  const close = () => {
    setLink(null)
    setEmail('')
    onClose()
  }
  const invite = async () => {
    const body = { email: email.trim(), role, ...(role !== 'operator' && chosen.size ? { orgs: [...chosen] } : {}) }
    setLink((await api.post<{ link: string }>('/operator/people/invite', body, { key: newKey(), org: null })).link)
    refresh('/operator')
  }
  const choose = (id: string, on: boolean) => {
    const next = new Set(chosen)
    if (on) next.add(id)
    else next.delete(id)
    setChosen(next)
  }
  const made = link === null ? null : { content: <CopyLink link={link} label={t('operator.link-label')}>{t('operator.link', { email })}</CopyLink> }
  return (
    <FormDialog open={open} onClose={close} title={t('operator.invite')} verb={t('operator.make-link')} act={invite} ready={/.@./.test(email)} made={made}>
      <TextField label={t('signin.email')} type="email" value={email} onText={setEmail} required />
      <SelectField<Role>
        label={t('operator.role')}
        value={role}
        options={(['annotator', 'reviewer', 'operator'] as const).map((value) => ({ value, label: t(`operator.role.${value}`) }))}
        onValue={setRole}
      />
      {role === 'operator' ? null : (
        <FieldGroup label={t('operator.for-orgs')} hint={t('operator.for-orgs.hint')}>
          {orgs.map((org) => (
            <Checkbox key={org.id} label={org.name} checked={chosen.has(org.id)} onChecked={(on) => choose(org.id, on)} />
          ))}
        </FieldGroup>
      )}
    </FormDialog>
  )
}
