import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { TextField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import type { Retention } from './types'

const days = (text: string): number | null => (text.trim() === '' ? null : Number(text))
const shown = (value: number | null): string => (value === null ? '' : String(value))

/** How long a project keeps its tasks, answers and files. */
export function RetentionForm({ project, rule, manages }: { project: string; rule: Retention; manages: boolean }) {
  const start = { done: shown(rule.done_days), ended: shown(rule.ended_days) }
  const [value, setValue] = useState(start)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const changed = value.done !== start.done || value.ended !== start.ended
  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      await api.put(`/projects/${project}/retention`, { done_days: days(value.done), ended_days: days(value.ended) })
      refresh(`/projects/${project}/data`)
      toast(t('console.settings.saved'), 'ok')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="eh-card eh-stack" aria-labelledby="retention">
      <h2 id="retention">{t('console.retention')}</h2>
      <p className="eh-muted">{t('console.retention.text')}</p>
      <fieldset className="eh-field" disabled={!manages}>
        <div className="eh-two">
          <TextField label={t('console.retention.done')} hint={t('console.retention.empty')} type="number" min={1} max={36500} value={value.done} onText={(done) => setValue({ ...value, done })} />
          <TextField label={t('console.retention.ended')} hint={t('console.retention.empty')} type="number" min={1} max={36500} value={value.ended} onText={(ended) => setValue({ ...value, ended })} />
        </div>
      </fieldset>
      <ErrorNote error={error} />
      {manages ? (
        <div>
          <Button look="primary" busy={busy} disabled={!changed} onClick={() => void save()}>
            {t('ui.save')}
          </Button>
        </div>
      ) : null}
    </section>
  )
}
