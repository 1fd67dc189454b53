import { EmptyState } from '../../ui/EmptyState'
import { ErrorNote } from '../../ui/ErrorNote'
import { formatDate, formatNumber, t } from '../../ui/messages'
import { Progress } from '../../ui/Progress'
import { Link } from '../../ui/router'
import { Skeleton } from '../../ui/Skeleton'
import { Table } from '../../ui/Table'
import { useApi } from '../../ui/useApi'
import { PageTop } from '../shell/PageTop'
import { useTitle } from '../shell/useTitle'
import '../operator/Operator.css'

type Week = { week: string; tasks: number | null; hours: number | null }
type Figures = { smallest_group: number; weeks: Week[] }

/** What directors and investors see: all customers together, and nothing of any. */
export default function DirectorPage() {
  const { data, error, reload } = useApi<Figures>('/director/figures', { org: null })
  useTitle(t('director.title'))
  return (
    <div className="eh-operator">
      <PageTop title={t('director.title')} />
      <main className="eh-page eh-page-narrow eh-operator-page">
        <h1>{t('director.title')}</h1>
        {data ? <p className="eh-muted">{t('director.text', { least: data.smallest_group })}</p> : null}
        {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
        {!data && !error ? <Skeleton lines={6} /> : null}
        {data && !data.weeks.length ? <EmptyState icon="clock" title={t('director.none')} text={t('director.none.text')} /> : null}
        {data?.weeks.length ? <Weeks weeks={data.weeks.toReversed()} /> : null}
        <p>
          {t('director.neutrality')} <Link to="/neutrality">{t('director.neutrality.link')}</Link>
        </p>
      </main>
    </div>
  )
}

function Weeks({ weeks }: { weeks: readonly Week[] }) {
  const most = Math.max(1, ...weeks.map((week) => week.tasks ?? 0))
  const few = <span className="eh-muted">{t('director.few')}</span>
  return (
    <Table
      label={t('director.title')}
      rows={weeks}
      rowKey={(week) => week.week}
      columns={[
        { key: 'week', title: t('director.week'), tight: true, cell: (week) => formatDate(week.week, 'date') },
        {
          key: 'bar',
          title: t('director.tasks'),
          hideTitle: true,
          wideOnly: true,
          cell: (week) => (week.tasks === null ? null : <Progress label={t('director.bar', { week: formatDate(week.week, 'date') })} total={most} parts={[{ value: week.tasks, look: 'accent' }]} />),
        },
        { key: 'tasks', title: t('director.tasks'), tight: true, number: true, cell: (week) => (week.tasks === null ? few : formatNumber(week.tasks)) },
        { key: 'hours', title: t('director.hours'), tight: true, number: true, cell: (week) => (week.hours === null ? '–' : formatNumber(week.hours)) },
      ]}
    />
  )
}
