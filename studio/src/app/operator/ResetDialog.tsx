import { useState } from 'react'
import { api, newKey } from '../../ui/api'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { ErrorNote } from '../../ui/ErrorNote'
import { formatDate, t } from '../../ui/messages'
import { CopyText } from '../console/CopyText'
import type { OperatorPerson } from './types'

/** A single-use link with which somebody chooses a new password. */
export function ResetDialog({ person, onClose }: { person: OperatorPerson; onClose: () => void }) {
  const [made, setMade] = useState<{ link: string; expires_at: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const make = async () => {
    setBusy(true)
    setError(null)
    try {
      setMade(await api.post('/operator/people/reset', { email: person.email }, { key: newKey(), org: null }))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('operator.reset.title', { name: person.name || person.email })}
      onSubmit={() => void (made ? onClose() : make())}
      foot={
        <Button type="submit" look="primary" busy={busy}>
          {t(made ? 'ui.close' : 'operator.make-link')}
        </Button>
      }
    >
      <p>{made ? t('operator.reset.link', { email: person.email, when: formatDate(made.expires_at) }) : t('operator.reset.text')}</p>
      {made ? <CopyText text={new URL(made.link, location.origin).href} label={t('operator.reset.label')} /> : null}
      <ErrorNote error={error} />
    </Dialog>
  )
}
