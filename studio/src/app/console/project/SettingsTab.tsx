import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { TextField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { PolicyFields, type Policy } from '../projects/PolicyFields'
import type { Project } from '../types'
import { CallbackLog, CallbackSecrets } from './Callbacks'
import { Seats } from './Seats'

export function SettingsTab({ project }: { project: Project }) {
  const { org } = useSignedIn()
  const writes = mayWrite(org)
  return (
    <div className="eh-stack eh-narrow">
      <fieldset className="eh-field" disabled={!writes}>
        <PolicySection key={project.version} project={project} writes={writes} />
      </fieldset>
      <Seats project={project} writes={writes} />
      {writes ? <CallbackSecrets /> : null}
      <CallbackLog writes={writes} />
    </div>
  )
}

function PolicySection({ project, writes }: { project: Project; writes: boolean }) {
  const start = { name: project.name, overlap: project.overlap, review: project.review, review_rate: project.review_rate, lease_s: project.lease_s }
  const [value, setValue] = useState<Policy & { name: string }>(start)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const changes = Object.fromEntries(Object.entries(value).filter(([key, now]) => start[key as keyof typeof start] !== now))
  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      await api.patch(`/projects/${project.id}`, changes)
      refresh('/projects')
      toast(t('console.settings.saved'), 'ok')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="eh-card eh-stack">
      <h2>{t('console.settings.policy')}</h2>
      <TextField label={t('console.new.name')} value={value.name} maxLength={200} onText={(name) => setValue({ ...value, name })} />
      <PolicyFields value={value} onChange={(part) => setValue({ ...value, ...part })} />
      <ErrorNote error={error} />
      {writes ? (
        <div className="eh-row">
          <Button look="primary" busy={busy} disabled={!Object.keys(changes).length || !value.name.trim()} onClick={() => void save()}>
            {t('ui.save')}
          </Button>
          <span className="eh-muted eh-small">{t('console.settings.policy.hint')}</span>
        </div>
      ) : null}
    </section>
  )
}
