import { useState } from 'react'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { formatNumber, formatPercent, t } from '../../../ui/messages'
import { Table } from '../../../ui/Table'
import type { Course, Labeler, Project, ProjectQuality } from '../types'
import { AgainDialog } from './AgainDialog'
import { Interval } from './Interval'
import { byNeed } from './scores'

const courseLook = { open: 'accent', passed: 'ok', failed: 'warn' } as const

/** Everybody's scores; who waits for a decision stands first. */
export function Labelers({ project, quality, writes }: { project: Project; quality: ProjectQuality; writes: boolean }) {
  const [again, setAgain] = useState<Labeler | null>(null)
  return (
    <section className="eh-stack-2" aria-labelledby="labelers">
      <h2 id="labelers">{t('console.quality.people')}</h2>
      <p className="eh-muted eh-small eh-narrow">{t('console.quality.people.text')}</p>
      {quality.labelers.length === 0 ? <p className="eh-card">{t('console.quality.nobody')}</p> : null}
      {quality.labelers.length ? (
        <Table
          label={t('console.quality.people')}
          rows={byNeed(quality.labelers)}
          rowKey={(one) => one.person}
          columns={[
            { key: 'name', title: t('console.person'), cell: (one) => <span className="eh-break">{one.name}</span> },
            { key: 'mean', title: t('console.quality.agreement'), number: true, tight: true, cell: (one) => <Mean one={one} /> },
            { key: 'bar', title: t('console.quality.interval'), wideOnly: true, cell: (one) => <Interval one={one} /> },
            { key: 'n', title: t('console.quality.n'), number: true, tight: true, cell: (one) => formatNumber(one.evaluations) },
            { key: 'course', title: t('console.quality.course'), tight: true, cell: (one) => (one.course ? <CourseBadge course={one.course} /> : <span className="eh-muted">–</span>) },
            {
              key: 'do',
              title: t('console.quality.again'),
              hideTitle: true,
              tight: true,
              cell: (one) =>
                writes && one.course?.state === 'failed' ? (
                  <Button small onClick={() => setAgain(one)} aria-label={t('console.quality.again-for', { name: one.name })}>
                    {t('console.quality.again')}
                  </Button>
                ) : null,
            },
          ]}
        />
      ) : null}
      <AgainDialog project={project} labeler={again} onClose={() => setAgain(null)} />
    </section>
  )
}

function Mean({ one }: { one: Labeler }) {
  if (one.mean === null || one.low === null || one.high === null) return <span className="eh-muted">–</span>
  return (
    <>
      <strong>{formatPercent(one.mean)}</strong> <span className="eh-muted eh-small">{t('console.quality.range', { low: formatPercent(one.low), high: formatPercent(one.high) })}</span>
    </>
  )
}

function CourseBadge({ course }: { course: Course }) {
  const detail = course.score === null ? '' : ` ${formatPercent(course.score)}`
  return (
    <Badge look={courseLook[course.state]} dot title={t('console.quality.try', { n: course.cycle })}>
      {t(`console.quality.course.${course.state}`)}
      {detail}
    </Badge>
  )
}
