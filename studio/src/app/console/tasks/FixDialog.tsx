import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { ErrorNote } from '../../../ui/ErrorNote'
import { AreaField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import type { Desk } from '../../workspace/desk'
import type { Task } from '../types'

/** Saves the mended answer as the result, with a word to the annotator if there is one to say. */
export function FixDialog({ open, task, desk, onClose, onSaved }: { open: boolean; task: Task; desk: Desk; onClose: () => void; onSaved: () => void }) {
  const [comment, setComment] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const send = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    try {
      await api.post(`/tasks/${task.id}/audit`, { decision: 'fix', answer: desk.answer(), ...(comment.trim() ? { comment: comment.trim() } : {}) }, { key: newKey() })
      toast(t('console.audit.did.fix'), 'ok')
      refresh(`/tasks/${task.id}`, `/projects/${task.project}`)
      onSaved()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t('console.decide.fix-title')}
      onSubmit={() => void send()}
      foot={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look="primary" busy={busy}>
            {t('console.decide.fix-send')}
          </Button>
        </>
      }
    >
      <p className="eh-muted">{t('console.fix.text')}</p>
      <AreaField
        label={t('console.decide.comment')}
        hint={t('console.decide.comment.hint')}
        rows={3}
        autoFocus
        value={comment}
        onText={setComment}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit()
        }}
      />
      <ErrorNote error={error} />
    </Dialog>
  )
}
