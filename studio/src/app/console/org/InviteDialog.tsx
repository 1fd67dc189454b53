import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { ErrorNote } from '../../../ui/ErrorNote'
import { SelectField, TextField } from '../../../ui/Field'
import { formatDate, t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'
import { CopyText } from '../CopyText'
import { roles, type Role } from '../types'

/** A single-use link for somebody, shown once it is made. */
export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('manager')
  const [made, setMade] = useState<{ link: string; expires_at: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const close = () => {
    setMade(null)
    setEmail('')
    setError(null)
    onClose()
  }
  const invite = async () => {
    if (!/.@./.test(email)) return
    setBusy(true)
    setError(null)
    try {
      setMade(await api.post<{ link: string; expires_at: string }>('/members/invite', { email: email.trim(), role }, { key: newKey() }))
      refresh('/members')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      title={t('console.people.invite')}
      onSubmit={() => void (made ? close() : invite())}
      foot={
        made ? (
          <Button type="submit" look="primary">
            {t('ui.close')}
          </Button>
        ) : (
          <>
            <Button onClick={close}>{t('ui.cancel')}</Button>
            <Button type="submit" look="primary" busy={busy} disabled={!/.@./.test(email)}>
              {t('console.people.make-link')}
            </Button>
          </>
        )
      }
    >
      {made ? (
        <>
          <p>{t('console.people.link', { email, when: formatDate(made.expires_at) })}</p>
          <CopyText text={absolute(made.link)} label={t('console.people.link-label')} />
        </>
      ) : (
        <>
          <TextField label={t('signin.email')} type="email" value={email} onText={setEmail} required />
          <SelectField<Role> label={t('console.role')} hint={t(`console.role.${role}.text`)} value={role} options={roles.map((item) => ({ value: item, label: t(`console.role.${item}`) }))} onValue={setRole} />
        </>
      )}
      <ErrorNote error={error} />
    </Dialog>
  )
}

function absolute(link: string): string {
  return new URL(link, location.origin).href
}
