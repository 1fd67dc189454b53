import { useState } from 'react'
import { Button } from '../../../ui/Button'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { Table } from '../../../ui/Table'
import type { Project } from '../types'
import { RotateDialog } from './RotateDialog'
import type { KeysView, KeyVersion, Level } from './types'

type Row = { id: string; level: Level; project: string; name: string; versions: readonly KeyVersion[] }
const FEW = 12

/** The keys under the customer's: the organisation's, that of its own records, and one for each project. */
export function KeyTable({ view, projects }: { view: KeysView; projects: readonly Project[] }) {
  const [all, setAll] = useState(false)
  const [rotating, setRotating] = useState<Row | null>(null)
  const rows = rowsOf(view, projects)
  return (
    <section className="eh-stack-2">
      <h2>{t('console.encryption.under')}</h2>
      <p className="eh-muted">{t('console.encryption.under.text')}</p>
      <Table
        label={t('console.encryption.under')}
        rows={all ? rows : rows.slice(0, FEW)}
        rowKey={(row) => row.id}
        columns={[
          { key: 'name', title: t('console.encryption.for'), cell: (row) => <strong className="eh-break">{row.name}</strong> },
          { key: 'version', title: t('console.encryption.newest'), number: true, cell: (row) => formatNumber(newest(row).version) },
          { key: 'count', title: t('console.encryption.kept'), number: true, wideOnly: true, cell: (row) => formatNumber(row.versions.length) },
          { key: 'made', title: t('console.encryption.made'), tight: true, wideOnly: true, cell: (row) => formatDate(newest(row).created_at, 'date') },
          {
            key: 'do',
            title: t('console.encryption.rotate'),
            hideTitle: true,
            tight: true,
            cell: (row) => (
              <Button small look="quiet" onClick={() => setRotating(row)} aria-label={t('console.encryption.rotate-what', { name: row.name })}>
                {t('console.encryption.rotate')}
              </Button>
            ),
          },
        ]}
      />
      {rows.length > FEW && !all ? (
        <div>
          <Button small look="quiet" onClick={() => setAll(true)}>
            {t('console.encryption.all', { count: rows.length })}
          </Button>
        </div>
      ) : null}
      {rotating ? <RotateDialog level={rotating.level} project={rotating.project} name={rotating.name} onClose={() => setRotating(null)} /> : null}
    </section>
  )
}

function newest(row: Row): KeyVersion {
  return row.versions.reduce((best, one) => (one.version > best.version ? one : best))
}

export function rowsOf(view: KeysView, projects: readonly Project[]): Row[] {
  const names = new Map(projects.map((project) => [project.id, project.name]))
  const own = view.projects.map((one) => ({
    id: one.project || 'own',
    level: 'project' as const,
    project: one.project,
    name: one.project ? (names.get(one.project) ?? t('console.encryption.of-project', { id: one.project.slice(-8) })) : t('console.encryption.own'),
    versions: one.versions,
  }))
  return [{ id: 'organisation', level: 'organisation', project: '', name: t('console.encryption.organisation'), versions: view.organisation }, ...own]
}
