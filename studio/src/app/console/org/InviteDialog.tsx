import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { SelectField, TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { formatDate, t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'
import { CopyLink } from '../CopyLink'
import { roles, type Role } from '../types'

/** A single-use link for somebody, shown once it is made. */
export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('manager')
  const [link, setLink] = useState<{ link: string; expires_at: string } | null>(null)
  const close = () => {
    setLink(null)
    setEmail('')
    onClose()
  }
  const invite = async () => {
    setLink(await api.post('/members/invite', { email: email.trim(), role }, { key: newKey() }))
    refresh('/members')
  }
  const made = link && {
    content: (
      <CopyLink link={link.link} label={t('console.people.link-label')}>
        {t('console.people.link', { email, when: formatDate(link.expires_at) })}
      </CopyLink>
    ),
  }
  return (
    <FormDialog open={open} onClose={close} title={t('console.people.invite')} verb={t('console.people.make-link')} act={invite} ready={/.@./.test(email)} made={made}>
      <TextField label={t('signin.email')} type="email" value={email} onText={setEmail} required />
      <SelectField<Role> label={t('console.role')} hint={t(`console.role.${role}.text`)} value={role} options={roles.map((item) => ({ value: item, label: t(`console.role.${item}`) }))} onValue={setRole} />
    </FormDialog>
  )
}
