import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { SelectField, TextField } from '../../../ui/Field'
import { formatNumber, t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { DeliveryTable } from '../org/DeliveryTable'
import { downloadUrl, fileName, startDownload } from '../download'
import type { Batch, Delivery, List, Project } from '../types'

export const formats = [
  { id: 'jsonl', ending: 'jsonl', carries: ['box', 'polygon', 'line', 'point', 'span', 'choice', 'text', 'rating', 'preference'] },
  { id: 'coco', ending: 'json', carries: ['box', 'polygon', 'point'] },
  { id: 'yolo', ending: 'zip', carries: ['box'] },
  { id: 'csv', ending: 'csv', carries: ['box', 'point', 'span', 'choice', 'text', 'rating', 'preference'] },
] as const
export type FormatId = (typeof formats)[number]['id']

type Report = Record<string, unknown>

export function ExportTab({ project }: { project: Project }) {
  const batches = useApi<List<Batch>>(`/projects/${project.id}/batches`, { query: { limit: 200 } })
  const deliveries = useApi<List<Delivery>>('/deliveries', { query: { project: project.id, limit: 100 }, poll: 20_000 })
  const { org } = useSignedIn()
  const [batch, setBatch] = useState('')
  const [name, setName] = useState('')
  return (
    <div className="eh-stack">
      <section className="eh-stack">
        <div className="eh-row">
          <h2 className="eh-grow">{t('console.export.now')}</h2>
          {batches.data?.items.length ? (
            <SelectField
              small
              label={t('console.batch')}
              value={batch}
              options={[{ value: '', label: t('console.export.all-batches') }, ...batches.data.items.map((item) => ({ value: item.id, label: item.name }))]}
              onValue={setBatch}
            />
          ) : null}
        </div>
        <div className="eh-formats">
          {formats.map((format) => (
            <FormatCard key={format.id} project={project} format={format} batch={batch} deliver={mayWrite(org) ? name : null} />
          ))}
        </div>
        <p className="eh-muted eh-small">{t('console.export.text')}</p>
      </section>
      <section className="eh-stack">
        <h2>{t('console.deliveries')}</h2>
        <p className="eh-muted">{t('console.deliveries.text')}</p>
        {mayWrite(org) ? (
          <div className="eh-short">
            <TextField label={t('console.delivery.name')} hint={t('console.delivery.name.hint')} value={name} onText={setName} />
          </div>
        ) : null}
        {deliveries.error && !deliveries.data ? <ErrorNote error={deliveries.error} retry={deliveries.reload} /> : null}
        {deliveries.data ? <DeliveryTable rows={deliveries.data.items} /> : null}
      </section>
    </div>
  )
}

function FormatCard({ project, format, batch, deliver }: { project: Project; format: (typeof formats)[number]; batch: string; deliver: string | null }) {
  const [error, setError] = useState<unknown>(null)
  const [report, setReport] = useState<Report | null>(null)
  const [busy, setBusy] = useState(false)
  const [checking, setChecking] = useState(false)
  // The report comes first: it fails where the download would, and says what will not be in the file.
  const save = async () => {
    const query = { project: project.id, format: format.id, ...(batch ? { batch } : {}) }
    setError(null)
    setChecking(true)
    try {
      setReport(await api.get<Report>('/exports/report', query))
      startDownload(downloadUrl('/exports', query), fileName(project.name, format.ending))
    } catch (caught) {
      setError(caught)
    } finally {
      setChecking(false)
    }
  }
  const make = async () => {
    setBusy(true)
    setError(null)
    try {
      await api.post('/deliveries', { project: project.id, format: format.id, ...(deliver ? { name: deliver } : {}) }, { key: newKey() })
      refresh('/deliveries')
      toast(t('console.delivery.made'), 'ok')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="eh-card eh-format">
      <h3>{t(`console.format.${format.id}`)}</h3>
      <p className="eh-muted">{t(`console.format.${format.id}.text`)}</p>
      <div className="eh-row" aria-label={t('console.export.carries')}>
        {format.carries.map((kind) => (
          <Badge key={kind}>{t(`console.kind.${kind}`)}</Badge>
        ))}
      </div>
      <ErrorNote error={error} />
      {report ? <ReportNote report={report} /> : null}
      <div className="eh-row">
        <Button small icon="download" busy={checking} onClick={() => void save()} aria-label={t('console.export.download-as', { format: t(`console.format.${format.id}`) })}>
          {t('console.export.download')}
        </Button>
        {deliver !== null ? (
          <Button small look="quiet" busy={busy} onClick={() => void make()} aria-label={t('console.delivery.make-as', { format: t(`console.format.${format.id}`) })}>
            {t('console.delivery.make')}
          </Button>
        ) : null}
      </div>
    </section>
  )
}

/** What the format could not carry or had to change, in the server's own numbers. */
function ReportNote({ report }: { report: Report }) {
  const lost = losses(report['skipped'])
  const changed = losses(report['changed'])
  const omits = Array.isArray(report['omits']) ? report['omits'].map(String) : []
  if (!lost.length && !changed.length && !omits.length) return <p className="eh-small eh-muted">{t('console.export.lossless')}</p>
  return (
    <div className="eh-small" role="status">
      {lost.length ? <Losses title={t('console.export.lost')} items={lost} /> : null}
      {changed.length ? <Losses title={t('console.export.changed')} items={changed} /> : null}
      {omits.length ? <p>{t('console.export.omits', { parts: omits.join(', ') })}</p> : null}
    </div>
  )
}

function Losses({ title, items }: { title: string; items: readonly [string, string][] }) {
  return (
    <>
      {title}
      <ul className="eh-losses">
        {items.map(([what, count]) => (
          <li key={what}>
            {what}: {count}
          </li>
        ))}
      </ul>
    </>
  )
}

/** A list of {reason, count} (or kind, detail), or a map of counts. */
export function losses(lost: unknown): [string, string][] {
  const number = (count: unknown) => (typeof count === 'number' ? formatNumber(count) : String(count ?? 1))
  if (Array.isArray(lost))
    return lost.map((item: unknown) => {
      if (typeof item !== 'object' || item === null) return [String(item), '']
      const row = item as Record<string, unknown>
      return [[row['kind'], row['reason'] ?? row['detail']].filter(Boolean).join(' – '), number(row['count'])]
    })
  if (typeof lost === 'object' && lost !== null) return Object.entries(lost).filter(([, count]) => count !== 0).map(([what, count]) => [what, number(count)])
  return []
}
