import { useState } from 'react'
import { api, newKey, toApiError } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Confirm } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import type { Project } from '../types'

/** Does something with every selected task, four at a time; says how many went wrong, and why the first did. */
export function BulkBar({ project, selected, onClear, onDone }: { project: Project; selected: ReadonlySet<string>; onClear: () => void; onDone: () => void }) {
  const [asking, setAsking] = useState<'requeue' | 'cancel' | null>(null)
  const [done, setDone] = useState<number | null>(null)
  const run = async (verb: 'requeue' | 'cancel') => {
    const ids = [...selected]
    const failures: string[] = []
    setDone(0)
    const lane = async () => {
      for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
        try {
          await api.post(`/tasks/${id}/${verb}`, {}, { key: newKey() })
        } catch (error) {
          const problem = toApiError(error)
          failures.push(problem.detail || problem.title)
        }
        setDone((n) => (n ?? 0) + 1)
      }
    }
    await Promise.all([lane(), lane(), lane(), lane()])
    setDone(null)
    refresh(`/projects/${project.id}`)
    if (failures.length) toast(t('console.bulk.failed', { count: failures.length, why: failures[0] ?? '' }), 'danger')
    else toast(t(`console.bulk.did.${verb}`, { count: selected.size }), 'ok')
    onClear()
    onDone()
  }
  return (
    <div className="eh-bulk" role="region" aria-label={t('console.bulk')}>
      <strong>{t('console.bulk.count', { count: selected.size })}</strong>
      {done !== null ? <span role="status">{t('console.bulk.progress', { done, count: selected.size })}</span> : null}
      <span className="eh-grow" />
      <Button small icon="undo" onClick={() => setAsking('requeue')}>
        {t('console.requeue')}
      </Button>
      <Button small look="danger" onClick={() => setAsking('cancel')}>
        {t('console.cancel-task')}
      </Button>
      <Button small look="quiet" onClick={onClear}>
        {t('console.bulk.clear')}
      </Button>
      <Confirm
        open={asking !== null}
        onClose={() => setAsking(null)}
        title={t(asking === 'cancel' ? 'console.bulk.cancel-title' : 'console.bulk.requeue-title', { count: selected.size })}
        verb={t(asking === 'cancel' ? 'console.cancel-task' : 'console.requeue')}
        look={asking === 'cancel' ? 'danger' : 'primary'}
        act={async () => {
          if (asking) await run(asking)
        }}
      >
        <p>{t(asking === 'cancel' ? 'console.bulk.cancel-text' : 'console.requeue.text')}</p>
      </Confirm>
    </div>
  )
}
