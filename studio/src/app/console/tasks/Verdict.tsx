import { useState } from 'react'
import type { Answer } from '../../../model/types'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { AreaField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { navigate } from '../../../ui/router'
import { sendOnEnter } from '../../../ui/sendOnEnter'
import { toast, toastError } from '../../../ui/Toast'
import { to } from '../paths'
import type { Task, TaskAnswer } from '../types'

/** The customer's own review: accept, reject, or fix on a page of its own. */
export function Verdict({ task, answer, onChanged }: { task: Task; answer: TaskAnswer | null; onChanged: () => void }) {
  const [rejecting, setRejecting] = useState(false)
  const [comment, setComment] = useState('')
  const [busy, setBusy] = useState(false)
  const another = answer !== null && answer.state !== 'current'
  const send = async (decision: 'accept' | 'reject', more: { answer?: Answer; comment?: string }) => {
    await api.post(`/tasks/${task.id}/audit`, { decision, ...more }, { key: newKey() })
    toast(t(`console.audit.did.${decision}`), 'ok')
    onChanged()
  }
  const accept = async () => {
    setBusy(true)
    try {
      await send('accept', another ? { answer: { annotations: answer.annotations } } : {})
    } catch (caught) {
      toastError(caught)
    } finally {
      setBusy(false)
    }
  }
  const reject = async () => {
    await send('reject', comment.trim() ? { comment: comment.trim() } : {})
    setRejecting(false)
    setComment('')
  }
  return (
    <div className="eh-verdict">
      <Button look="primary" icon="check" busy={busy} onClick={() => void accept()}>
        {t(another ? 'console.decide.accept-this' : 'console.decide.accept')}
      </Button>
      <Button icon="edit" onClick={() => navigate(to.fix(task.project, task.id, answer?.id ?? null))}>
        {t('console.decide.fix')}
      </Button>
      <Button look="danger" icon="close" onClick={() => setRejecting(true)}>
        {t('console.decide.reject')}
      </Button>
      <FormDialog open={rejecting} onClose={() => setRejecting(false)} title={t('console.decide.reject-title')} verb={t('console.decide.reject')} look="danger" act={reject}>
        <p className="eh-muted">{t('console.decide.reject-text')}</p>
        <AreaField label={t('console.decide.comment')} hint={t('console.decide.comment.hint')} rows={3} autoFocus value={comment} onText={setComment} onKeyDown={sendOnEnter} />
      </FormDialog>
    </div>
  )
}
