import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { AreaField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { sendOnEnter } from '../../../ui/sendOnEnter'
import { toast } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import type { Desk } from '../../workspace/desk'
import type { Task } from '../types'

/** Saves the mended answer as the result, with a word to the annotator if there is one to say. */
export function FixDialog({ open, task, desk, onClose, onSaved }: { open: boolean; task: Task; desk: Desk; onClose: () => void; onSaved: () => void }) {
  const [comment, setComment] = useState('')
  const send = async () => {
    await api.post(`/tasks/${task.id}/audit`, { decision: 'fix', answer: desk.answer(), ...(comment.trim() ? { comment: comment.trim() } : {}) }, { key: newKey() })
    toast(t('console.audit.did.fix'), 'ok')
    refresh(`/tasks/${task.id}`, `/projects/${task.project}`)
    onSaved()
  }
  return (
    <FormDialog open={open} onClose={onClose} title={t('console.decide.fix-title')} verb={t('console.decide.fix-send')} act={send}>
      <p className="eh-muted">{t('console.fix.text')}</p>
      <AreaField label={t('console.decide.comment')} hint={t('console.decide.comment.hint')} rows={3} autoFocus value={comment} onText={setComment} onKeyDown={sendOnEnter} />
    </FormDialog>
  )
}
