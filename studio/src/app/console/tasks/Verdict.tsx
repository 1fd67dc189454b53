import { useState } from 'react'
import type { Answer } from '../../../model/types'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { ErrorNote } from '../../../ui/ErrorNote'
import { AreaField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { navigate } from '../../../ui/router'
import { toast } from '../../../ui/Toast'
import { to } from '../paths'
import type { Decision, Task, TaskAnswer } from '../types'

/** The customer's own review: accept, reject, or fix on a page of its own. */
export function Verdict({ task, answer, onChanged }: { task: Task; answer: TaskAnswer | null; onChanged: () => void }) {
  const [rejecting, setRejecting] = useState(false)
  const [comment, setComment] = useState('')
  const [busy, setBusy] = useState<Decision | null>(null)
  const [error, setError] = useState<unknown>(null)
  const another = answer !== null && answer.state !== 'current'
  const send = async (decision: Decision, chosen?: Answer) => {
    setBusy(decision)
    setError(null)
    try {
      await api.post(`/tasks/${task.id}/audit`, { decision, ...(comment.trim() ? { comment: comment.trim() } : {}), ...(chosen ? { answer: chosen } : {}) }, { key: newKey() })
      toast(t(`console.audit.did.${decision}`), 'ok')
      setRejecting(false)
      setComment('')
      onChanged()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(null)
    }
  }
  return (
    <div className="eh-verdict">
      <Button look="primary" icon="check" busy={busy === 'accept'} onClick={() => void send('accept', another ? { annotations: answer.annotations } : undefined)}>
        {t(another ? 'console.decide.accept-this' : 'console.decide.accept')}
      </Button>
      <Button icon="edit" onClick={() => navigate(to.fix(task.project, task.id, answer?.id ?? null))}>
        {t('console.decide.fix')}
      </Button>
      <Button
        look="danger"
        icon="close"
        onClick={() => {
          setError(null)
          setRejecting(true)
        }}
      >
        {t('console.decide.reject')}
      </Button>
      {rejecting ? null : <ErrorNote error={error} />}
      <Dialog
        open={rejecting}
        onClose={() => setRejecting(false)}
        title={t('console.decide.reject-title')}
        onSubmit={() => void send('reject')}
        foot={
          <>
            <Button onClick={() => setRejecting(false)}>{t('ui.cancel')}</Button>
            <Button type="submit" look="danger" busy={busy !== null}>
              {t('console.decide.reject')}
            </Button>
          </>
        }
      >
        <p className="eh-muted">{t('console.decide.reject-text')}</p>
        <AreaField label={t('console.decide.comment')} hint={t('console.decide.comment.hint')} rows={3} value={comment} onText={setComment} />
        <ErrorNote error={error} />
      </Dialog>
    </div>
  )
}
