import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatNumber, formatPercent, t } from '../../../ui/messages'
import { Link } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { useApi } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { Fact } from '../Fact'
import { to } from '../paths'
import type { Project, ProjectQuality } from '../types'
import { KnownTasks } from './KnownTasks'
import { Labelers } from './Labelers'
import { QualitySettings } from './QualitySettings'
import { passing, spread } from './scores'
import './Quality.css'

/** Tasks whose answer is known: how many there are, how everybody did on them, and who is through the training. */
export function QualityTab({ project }: { project: Project }) {
  const path = `/projects/${project.id}/quality`
  const { data: quality, error, reload } = useApi<ProjectQuality>(path, { poll: 15_000 })
  const { org } = useSignedIn()
  if (!quality) return error ? <ErrorNote error={error} retry={reload} /> : <Skeleton lines={6} />
  const writes = mayWrite(org)
  if (quality.tasks.length === 0 && quality.labelers.length === 0) return <Nothing project={project} writes={writes} />
  const course = passing(quality.labelers)
  const all = spread(quality.labelers)
  return (
    <>
      {error ? <ErrorNote error={error} retry={reload} /> : null}
      <dl className="eh-card eh-facts">
        <Fact name={t('console.quality.evaluations')} value={formatNumber(open(quality, 'evaluation'))} sub={t('console.quality.share', { share: formatPercent(quality.gold_share) })} />
        <Fact name={t('console.quality.trainings')} value={formatNumber(open(quality, 'training'))} sub={t('console.quality.pass-mark', { share: formatPercent(quality.pass_mark) })} />
        <Fact name={t('console.quality.agreement')} value={all ? formatPercent(all.mean) : '–'} sub={all ? t('console.quality.answers', { count: all.n }) : t('console.quality.no-answers')} />
        <Fact name={t('console.quality.passed')} value={course.of ? t('console.quality.n-of', { done: course.passed, total: course.of }) : '–'} sub={course.failed ? t('console.quality.n-failed', { count: course.failed }) : t('console.quality.course-sub')} />
      </dl>
      <Labelers project={project} quality={quality} writes={writes} />
      <KnownTasks project={project} tasks={quality.tasks} writes={writes} />
      {writes ? <QualitySettings key={`${quality.gold_share} ${quality.pass_mark}`} project={project} quality={quality} /> : null}
    </>
  )
}

function open(quality: ProjectQuality, purpose: 'evaluation' | 'training'): number {
  return quality.tasks.filter((task) => task.purpose === purpose && task.state !== 'closed').length
}

function Nothing({ project, writes }: { project: Project; writes: boolean }) {
  return (
    <EmptyState
      icon="check"
      title={t('console.quality.empty')}
      text={t(writes ? 'console.quality.empty.text' : 'console.quality.empty.viewer')}
      action={
        <Link className="eh-button eh-button-primary" to={to.tasks(project.id, { state: 'done' })}>
          {t('console.quality.empty.do')}
        </Link>
      }
    />
  )
}
