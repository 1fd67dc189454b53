import { Badge, type BadgeLook } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { Table, type Column } from '../../../ui/Table'
import { startDownload } from '../download'
import type { Deletion } from './types'

const looks: Record<Deletion['state'], BadgeLook> = { running: 'accent', held: 'warn', done: 'ok' }

/** What was deleted, each with its certificate. */
export function Deletions({ rows }: { rows: Deletion[] }) {
  return (
    <section className="eh-stack" aria-labelledby="deletions">
      <h2 id="deletions">{t('console.deletions')}</h2>
      <p className="eh-muted">{t(rows.length ? 'console.deletions.text' : 'console.deletions.none')}</p>
      {rows.length ? <Table label={t('console.deletions')} rows={rows} rowKey={(row) => row.id} columns={columns} /> : null}
    </section>
  )
}

function save(row: Deletion): void {
  const url = URL.createObjectURL(new Blob([row.certificate], { type: 'text/plain' }))
  startDownload(url, `deletion-${row.id.slice(-8)}.txt`)
  URL.revokeObjectURL(url)
}

const columns: Column<Deletion>[] = [
  { key: 'what', title: t('console.deletions.what'), cell: (row) => <strong>{t(`console.deletions.of.${row.reason}`)}</strong> },
  { key: 'state', title: t('console.deletions.state'), tight: true, cell: (row) => <Badge look={looks[row.state]}>{t(`console.deletions.state.${row.state}`)}</Badge> },
  { key: 'tasks', title: t('console.deletions.tasks'), tight: true, wideOnly: true, cell: (row) => formatNumber(row.tasks) },
  { key: 'answers', title: t('console.deletions.answers'), tight: true, wideOnly: true, cell: (row) => formatNumber(row.answers) },
  { key: 'files', title: t('console.deletions.files'), tight: true, wideOnly: true, cell: (row) => formatNumber(row.files) },
  { key: 'when', title: t('console.deletions.when'), tight: true, cell: (row) => formatDate(row.ended_at ?? row.asked_at, 'date') },
  {
    key: 'do',
    title: t('console.deletions.certificate'),
    hideTitle: true,
    tight: true,
    cell: (row) =>
      row.certificate ? (
        <Button small look="quiet" icon="download" onClick={() => save(row)}>
          {t('console.deletions.certificate')}
        </Button>
      ) : null,
  },
]
