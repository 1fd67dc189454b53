import { Badge } from '../../../ui/Badge'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Icon } from '../../../ui/Icon'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { Progress } from '../../../ui/Progress'
import { Link, navigate, useQuery } from '../../../ui/router'
import { Segments } from '../../../ui/Field'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { useApi, type Loaded } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import { doneShare, honestPercent, projectLook, wanted } from '../numbers'
import { to } from '../paths'
import type { List, Project } from '../types'

export function ProjectsPage({ projects }: { projects: Loaded<List<Project>> }) {
  const [query, setQuery] = useQuery()
  useTitle(t('console.projects'))
  const writes = mayWrite(useSignedIn().org)
  const archived = query.get('show') === 'archived'
  const all = useApi<List<Project>>(archived ? '/projects' : null, { query: { archived: true, limit: 200 } })
  const list = archived ? all : projects
  const rows = (list.data?.items ?? []).filter((project) => (project.state === 'archived') === archived)
  return (
    <div className="eh-page">
      <div className="eh-page-head">
        <h1>{t('console.projects')}</h1>
        <Segments
          label={t('console.projects.show')}
          hideLabel
          value={archived ? 'archived' : 'current'}
          options={[
            { value: 'current', label: t('console.projects.current') },
            { value: 'archived', label: t('console.project.state.archived') },
          ]}
          onValue={(value) => setQuery({ show: value === 'archived' ? 'archived' : null })}
        />
        {writes ? (
          <Link className="eh-button eh-button-primary" to={to.newProject()}>
            <Icon name="plus" />
            {t('console.project.new')}
          </Link>
        ) : null}
      </div>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Skeleton lines={6} height={32} /> : null}
      {list.data && rows.length === 0 ? (
        <EmptyState icon="folder" title={t(archived ? 'console.projects.none-archived' : writes ? 'console.first.title' : 'console.first.none')} text={t(archived ? 'console.projects.none-archived.text' : writes ? 'console.first.text' : 'console.first.wait')} />
      ) : null}
      {rows.length ? (
        <Table
          label={t('console.projects')}
          rows={rows}
          rowKey={(project) => project.id}
          onOpen={(project) => navigate(to.project(project.id))}
          columns={[
            { key: 'name', title: t('console.project'), cell: (project) => <Link to={to.project(project.id)}>{project.name}</Link> },
            {
              key: 'state',
              title: t('console.state'),
              tight: true,
              cell: (project) => (
                <span className="eh-row">
                  <Badge look={projectLook[project.state]} dot>
                    {t(`console.project.state.${project.state}`)}
                  </Badge>
                  {project.stage === 'pilot' ? <Badge look="accent">{t('console.stage.pilot')}</Badge> : null}
                </span>
              ),
            },
            { key: 'medium', title: t('console.medium'), cell: (project) => t(`console.medium.${project.medium}`), wideOnly: true },
            {
              key: 'bar',
              title: t('console.five.far'),
              cell: (project) => (
                <Progress
                  label={t('console.progress-of', { name: project.name })}
                  total={wanted(project.counts)}
                  parts={[
                    { value: project.counts.done, look: 'ok' },
                    { value: project.counts.review, look: 'warn' },
                    { value: project.counts.full, look: 'accent' },
                  ]}
                />
              ),
              wideOnly: true,
            },
            { key: 'share', title: '%', number: true, tight: true, cell: (project) => honestPercent(doneShare(project.counts)) },
            { key: 'done', title: t('console.state.done'), number: true, cell: (project) => formatNumber(project.counts.done) },
            { key: 'total', title: t('console.total'), number: true, cell: (project) => formatNumber(project.counts.total) },
            { key: 'at', title: t('console.created'), tight: true, cell: (project) => formatDate(project.created_at, 'date'), wideOnly: true },
          ]}
        />
      ) : null}
    </div>
  )
}
