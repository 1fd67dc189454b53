import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { TextField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { put } from '../../../ui/useApi'
import type { Project, ProjectQuality } from '../types'

/** How often a known task comes, and what passes the course. */
export function QualitySettings({ project, quality }: { project: Project; quality: ProjectQuality }) {
  const start = { share: String(Math.round(quality.gold_share * 100)), mark: String(Math.round(quality.pass_mark * 100)) }
  const [value, setValue] = useState(start)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const changed = value.share !== start.share || value.mark !== start.mark
  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      const path = `/projects/${project.id}/quality`
      put(path, await api.patch<ProjectQuality>(path, { gold_share: Number(value.share) / 100, pass_mark: Number(value.mark) / 100 }))
      toast(t('console.settings.saved'), 'ok')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="eh-card eh-stack eh-narrow" aria-labelledby="rules">
      <h2 id="rules">{t('console.quality.rules')}</h2>
      <div className="eh-two">
        <TextField label={t('console.quality.share-field')} hint={t('console.quality.share-field.hint')} type="number" min={0} max={50} value={value.share} onText={(share) => setValue({ ...value, share })} />
        <TextField label={t('console.quality.mark-field')} hint={t('console.quality.mark-field.hint')} type="number" min={0} max={100} value={value.mark} onText={(mark) => setValue({ ...value, mark })} />
      </div>
      <ErrorNote error={error} />
      <div>
        <Button look="primary" busy={busy} disabled={!changed || value.share === '' || value.mark === ''} onClick={() => void save()}>
          {t('ui.save')}
        </Button>
      </div>
    </section>
  )
}
