import { useState } from 'react'
import { api, newKey } from '../../ui/api'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { ErrorNote } from '../../ui/ErrorNote'
import { Checkbox, FieldGroup, SelectField, TextField } from '../../ui/Field'
import { t } from '../../ui/messages'
import { refresh } from '../../ui/useApi'
import { CopyText } from '../console/CopyText'
import type { OperatorOrg } from './types'

type Role = 'annotator' | 'reviewer' | 'operator'

/** A single-use link for another operator, or for somebody of the shared workforce. */
export function InviteDialog({ open, onClose, orgs }: { open: boolean; onClose: () => void; orgs: readonly OperatorOrg[] }) {
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('annotator')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [link, setLink] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const close = () => {
    setLink(null)
    setEmail('')
    setError(null)
    onClose()
  }
  const invite = async () => {
    setBusy(true)
    setError(null)
    try {
      const body = { email: email.trim(), role, ...(role !== 'operator' && chosen.size ? { orgs: [...chosen] } : {}) }
      setLink((await api.post<{ link: string }>('/operator/people/invite', body, { key: newKey(), org: null })).link)
      refresh('/operator')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const valid = /.@./.test(email)
  return (
    <Dialog
      open={open}
      onClose={close}
      title={t('operator.invite')}
      onSubmit={() => void (link ? close() : valid ? invite() : undefined)}
      foot={
        link ? (
          <Button type="submit" look="primary">
            {t('ui.close')}
          </Button>
        ) : (
          <>
            <Button onClick={close}>{t('ui.cancel')}</Button>
            <Button type="submit" look="primary" busy={busy} disabled={!valid}>
              {t('operator.make-link')}
            </Button>
          </>
        )
      }
    >
      {link ? (
        <>
          <p>{t('operator.link', { email })}</p>
          <CopyText text={new URL(link, location.origin).href} label={t('operator.link-label')} />
        </>
      ) : (
        <>
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
                <Checkbox
                  key={org.id}
                  label={org.name}
                  checked={chosen.has(org.id)}
                  onChecked={(on) => {
                    const next = new Set(chosen)
                    if (on) next.add(org.id)
                    else next.delete(org.id)
                    setChosen(next)
                  }}
                />
              ))}
            </FieldGroup>
          )}
        </>
      )}
      <ErrorNote error={error} />
    </Dialog>
  )
}
