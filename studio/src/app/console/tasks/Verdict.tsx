import { useState } from 'react'
import type { Answer } from '../../../model/types'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { ErrorNote } from '../../../ui/ErrorNote'
import { AreaField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import type { Decision, Task, TaskAnswer } from '../types'

/** The customer's own review: accept, fix, reject. */
export function Verdict({ task, answer, onChanged }: { task: Task; answer: TaskAnswer | null; onChanged: () => void }) {
  const [asking, setAsking] = useState<'fix' | 'reject' | null>(null)
  const [comment, setComment] = useState('')
  const [json, setJson] = useState('')
  const [busy, setBusy] = useState<Decision | null>(null)
  const [error, setError] = useState<unknown>(null)
  const current = answer?.annotations ?? task.result?.annotations ?? task.answers.find((item) => item.state === 'current')?.annotations ?? []
  const send = async (decision: Decision, fixed?: Answer) => {
    setBusy(decision)
    setError(null)
    try {
      await api.post(`/tasks/${task.id}/audit`, { decision, ...(comment.trim() ? { comment: comment.trim() } : {}), ...(fixed ? { answer: fixed } : {}) }, { key: newKey() })
      toast(t(`console.audit.did.${decision}`), 'ok')
      setAsking(null)
      setComment('')
      onChanged()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(null)
    }
  }
  const parsed = parse(json)
  const open = (what: 'fix' | 'reject') => {
    setJson(JSON.stringify(current, null, 2))
    setError(null)
    setAsking(what)
  }
  return (
    <div className="eh-verdict">
      <Button look="primary" icon="check" busy={busy === 'accept'} onClick={() => void send('accept', answer && answer.state !== 'current' ? { annotations: answer.annotations } : undefined)}>
        {t(answer && answer.state !== 'current' ? 'console.decide.accept-this' : 'console.decide.accept')}
      </Button>
      <Button icon="edit" onClick={() => open('fix')}>
        {t('console.decide.fix')}
      </Button>
      <Button look="danger" icon="close" onClick={() => open('reject')}>
        {t('console.decide.reject')}
      </Button>
      {asking === null ? <ErrorNote error={error} /> : null}
      <Dialog
        open={asking !== null}
        onClose={() => setAsking(null)}
        title={t(asking === 'fix' ? 'console.decide.fix-title' : 'console.decide.reject-title')}
        wide={asking === 'fix'}
        onSubmit={() => {
          if (asking === 'reject') void send('reject')
          else if (parsed.answer) void send('fix', parsed.answer)
        }}
        foot={
          <>
            <Button onClick={() => setAsking(null)}>{t('ui.cancel')}</Button>
            <Button type="submit" look={asking === 'reject' ? 'danger' : 'primary'} busy={busy !== null} disabled={asking === 'fix' && !parsed.answer}>
              {t(asking === 'fix' ? 'console.decide.fix-send' : 'console.decide.reject')}
            </Button>
          </>
        }
      >
        {asking === 'fix' ? (
          <AreaField label={t('console.decide.json')} hint={t('console.decide.json.hint')} rows={14} spellCheck={false} value={json} onText={setJson} error={parsed.error} />
        ) : (
          <p className="eh-muted">{t('console.decide.reject-text')}</p>
        )}
        <AreaField label={t('console.decide.comment')} hint={t('console.decide.comment.hint')} rows={3} value={comment} onText={setComment} />
        <ErrorNote error={error} />
      </Dialog>
    </div>
  )
}

function parse(json: string): { answer: Answer | null; error: string | null } {
  try {
    const value: unknown = JSON.parse(json)
    if (!Array.isArray(value)) return { answer: null, error: t('console.decide.json.list') }
    return { answer: { annotations: value as Answer['annotations'] }, error: null }
  } catch (error) {
    return { answer: null, error: error instanceof Error ? error.message : String(error) }
  }
}
