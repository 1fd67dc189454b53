import { Badge } from '../../../ui/Badge'
import { formatAgo, formatDate, formatNumber, formatPercent, t } from '../../../ui/messages'
import { Link } from '../../../ui/router'
import { Table } from '../../../ui/Table'
import { to } from '../paths'
import type { GoldTask, Project } from '../types'

const stateLook = { fetching: 'plain', open: 'ok', closed: 'plain' } as const

/** The known tasks themselves: one that everybody gets wrong is probably wrong itself. */
export function KnownTasks({ project, tasks, writes }: { project: Project; tasks: readonly GoldTask[]; writes: boolean }) {
  return (
    <section className="eh-stack-2" aria-labelledby="known">
      <div className="eh-section-head">
        <h2 id="known">{t('console.quality.tasks')}</h2>
        {writes ? (
          <Link className="eh-button eh-button-small" to={to.tasks(project.id, { state: 'done' })}>
            {t('console.quality.add')}
          </Link>
        ) : null}
      </div>
      <p className="eh-muted eh-small eh-narrow">{t('console.quality.tasks.text')}</p>
      <Table
        label={t('console.quality.tasks')}
        rows={tasks}
        rowKey={(task) => task.id}
        columns={[
          { key: 'name', title: t('console.task'), cell: (task) => <Link className="eh-break" to={to.task(project.id, task.id)}>{task.name || task.id}</Link> },
          { key: 'purpose', title: t('console.quality.purpose'), tight: true, cell: (task) => t(`console.quality.purpose.${task.role === 'review' ? 'review' : task.purpose}`) },
          {
            key: 'state',
            title: t('console.state'),
            tight: true,
            wideOnly: true,
            cell: (task) => (
              <Badge look={stateLook[task.state]} dot>
                {t(`console.quality.state.${task.state}`)}
              </Badge>
            ),
          },
          { key: 'mean', title: t('console.quality.agreement'), number: true, tight: true, cell: (task) => (task.mean === null ? '–' : formatPercent(task.mean)) },
          { key: 'n', title: t('console.quality.n'), number: true, tight: true, cell: (task) => formatNumber(task.answers) },
          { key: 'at', title: t('console.created'), tight: true, wideOnly: true, cell: (task) => <span title={formatDate(task.created_at, 'full')}>{formatAgo(task.created_at)}</span> },
        ]}
      />
    </section>
  )
}
