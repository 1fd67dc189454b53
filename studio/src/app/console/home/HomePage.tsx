import { useState } from 'react'
import { Badge } from '../../../ui/Badge'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Icon } from '../../../ui/Icon'
import { formatAgo, formatDate, formatDuration, formatNumber, t } from '../../../ui/messages'
import { Progress } from '../../../ui/Progress'
import { Link } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { useApi, type Loaded } from '../../../ui/useApi'
import { useTitle } from '../../shell/useTitle'
import { mayWrite, useSignedIn } from '../../shell/session'
import { doneShare, honestPercent, projectLook, qualityText, wanted, whenDone } from '../numbers'
import { factText } from '../facts'
import { to } from '../paths'
import { ProgressPlot, QualityBar } from '../plot/ProgressPlot'
import type { List, ProgressReport, Project, Question } from '../types'
import './Home.css'

/** How far, how good, how much, when done, who looked: answered for every project without scrolling. */
export function HomePage({ projects }: { projects: Loaded<List<Project>> }) {
  const { org } = useSignedIn()
  const [picked, setPicked] = useState('')
  useTitle(t('console.home'), org?.name)
  const live = projects.data?.items.filter((project) => project.state !== 'archived') ?? []
  const shown = live.find((project) => project.id === picked) ?? live.find((project) => project.counts.done > 0) ?? live[0]
  return (
    <div className="eh-page">
      <div className="eh-page-head">
        <h1>{org?.name}</h1>
        {mayWrite(org) ? (
          <Link className="eh-button eh-button-primary" to={to.newProject()}>
            <Icon name="plus" />
            {t('console.project.new')}
          </Link>
        ) : null}
      </div>
      {projects.error && !projects.data ? <ErrorNote error={projects.error} retry={projects.reload} /> : null}
      {!projects.data && !projects.error ? <Skeleton lines={5} height={40} /> : null}
      {projects.data && live.length === 0 ? <FirstProject writes={mayWrite(org)} /> : null}
      {live.length ? (
        <>
          {org?.project ? null : <Needs projects={live} />}
          <div className="eh-card eh-home-scroll">
            <table className="eh-five" role="table" aria-label={t('console.five')}>
              <thead role="rowgroup">
                <tr role="row">
                  <th scope="col" role="columnheader">{t('console.project')}</th>
                  <th scope="col" role="columnheader">{t('console.five.far')}</th>
                  <th scope="col" role="columnheader">{t('console.five.good')}</th>
                  <th scope="col" role="columnheader">{t('console.five.much')}</th>
                  <th scope="col" role="columnheader">{t('console.five.when')}</th>
                  <th scope="col" role="columnheader">{t('console.five.who')}</th>
                </tr>
              </thead>
              <tbody role="rowgroup">
                {live.slice(0, 20).map((project) => (
                  <Glance key={project.id} project={project} />
                ))}
              </tbody>
            </table>
          </div>
          {live.length > 20 ? <Link to={to.projects()}>{t('console.home.more', { count: live.length - 20 })}</Link> : null}
          {shown ? <HomePlot key={shown.id} project={shown} projects={live} onPick={setPicked} /> : null}
        </>
      ) : null}
    </div>
  )
}

function FirstProject({ writes }: { writes: boolean }) {
  if (!writes) return <EmptyState icon="folder" title={t('console.first.none')} text={t('console.first.wait')} />
  return (
    <EmptyState
      icon="folder"
      title={t('console.first.title')}
      text={t('console.first.text')}
      action={
        <Link className="eh-button eh-button-primary" to={to.newProject()}>
          <Icon name="plus" />
          {t('console.project.new')}
        </Link>
      }
      example={{ label: t('console.first.example'), code: 'evenhand project create "Street signs" --medium image\nevenhand task import --project "Street signs" ./photos' }}
    />
  )
}

function Glance({ project }: { project: Project }) {
  const { data } = useApi<ProgressReport>(`/projects/${project.id}/progress`, { poll: 15_000 })
  const counts = data?.counts ?? project.counts
  const quality = data ? qualityText(data.quality) : null
  const last = data?.looked[0]
  return (
    <tr role="row">
      <th scope="row" role="rowheader">
        <Link to={to.project(project.id)}>{project.name}</Link>
        <div className="eh-row">
          {project.stage === 'pilot' ? <Badge look="accent">{t('console.stage.pilot')}</Badge> : null}
          {project.state !== 'active' ? <Badge look={projectLook[project.state]}>{t(`console.project.state.${project.state}`)}</Badge> : null}
        </div>
      </th>
      <td role="cell" data-question={t('console.five.far')}>
        <span className="eh-five-main">{counts.total ? honestPercent(doneShare(counts)) : t('console.five.nothing')}</span>
        <Progress
          label={t('console.progress-of', { name: project.name })}
          total={wanted(counts)}
          parts={[
            { value: counts.done, look: 'ok', label: t('console.state.done') },
            { value: counts.review, look: 'warn', label: t('console.state.review') },
            { value: counts.full, look: 'accent', label: t('console.state.full') },
          ]}
        />
      </td>
      <td role="cell" data-question={t('console.five.good')}>
        {quality ? (
          <>
            <span className="eh-five-main">{quality.main}</span> <span className="eh-five-sub">{quality.range}</span>
            {data ? <QualityBar quality={data.quality} /> : null}
          </>
        ) : (
          <span className="eh-five-sub">{data ? t('console.quality.none') : '…'}</span>
        )}
      </td>
      <td role="cell" data-question={t('console.five.much')}>
        <div className="eh-five-main">{formatNumber(counts.done)}</div>
        <div className="eh-five-sub">{t('console.five.of', { count: wanted(counts) })}</div>
        {data ? <div className="eh-five-sub">{t('console.five.work', { time: formatDuration(data.seconds.total) })}</div> : null}
      </td>
      <td role="cell" data-question={t('console.five.when')}>
        <div className="eh-five-main">{data ? whenDone(data) : '…'}</div>
        {data?.done_at ? <div className="eh-five-sub">{formatDate(data.done_at, 'day')}</div> : null}
        {data && data.per_hour > 0 ? <div className="eh-five-sub">{t('console.five.rate', { rate: formatNumber(data.per_hour, { maximumFractionDigits: 1 }) })}</div> : null}
      </td>
      <td role="cell" data-question={t('console.five.who')}>
        {last ? (
          <>
            <div>{last.who}</div>
            <div className="eh-five-sub">{t('console.five.who-did', { what: factText(last.what), when: formatAgo(last.at) })}</div>
            <Link className="eh-five-sub" to={`${to.project(project.id)}#looked`} aria-label={t('console.five.who-all-of', { name: project.name })}>
              {t('console.five.who-all')}
            </Link>
          </>
        ) : (
          <span className="eh-five-sub">{data ? t('console.five.nobody') : '…'}</span>
        )}
      </td>
    </tr>
  )
}

/** What waits for this customer: each is one click from being done. */
function Needs({ projects }: { projects: readonly Project[] }) {
  const questions = useApi<List<Question>>('/questions', { query: { open: true, limit: 200 }, poll: 30_000 })
  const perProject = new Map<string, number>()
  for (const question of questions.data?.items ?? []) if (question.answer === null) perProject.set(question.project, (perProject.get(question.project) ?? 0) + 1)
  const needs = projects.flatMap((project) => [
    ...(perProject.has(project.id) ? [{ to: to.project(project.id, 'questions'), text: t('console.needs.questions', { count: perProject.get(project.id) ?? 0, name: project.name }) }] : []),
    ...(project.counts.error ? [{ to: to.tasks(project.id, { state: 'error' }), text: t('console.needs.errors', { count: project.counts.error, name: project.name }) }] : []),
    ...(project.stage === 'pilot' && project.counts.total ? [{ to: to.project(project.id, 'pilot'), text: t('console.needs.pilot', { name: project.name }) }] : []),
    ...(project.counts.total === 0 ? [{ to: `${to.project(project.id, 'tasks')}?import=1`, text: t('console.needs.data', { name: project.name }) }] : []),
  ])
  if (!needs.length) return null
  return (
    <ul className="eh-needs" aria-label={t('console.needs')}>
      {needs.slice(0, 6).map((need) => (
        <li key={need.to}>
          <Link to={need.to}>
            <Icon name="flag" />
            {need.text}
          </Link>
        </li>
      ))}
    </ul>
  )
}

function HomePlot({ project, projects, onPick }: { project: Project; projects: readonly Project[]; onPick: (id: string) => void }) {
  const { data } = useApi<ProgressReport>(`/projects/${project.id}/progress`)
  const choice =
    projects.length > 1 ? (
      <select className="eh-input eh-input-small eh-home-choice" aria-label={t('console.plot.of')} value={project.id} onChange={(event) => onPick(event.target.value)}>
        {projects.map((item) => (
          <option key={item.id} value={item.id}>
            {item.name}
          </option>
        ))}
      </select>
    ) : null
  return (
    <section className="eh-card eh-stack">
      {data ? <ProgressPlot report={data} name={project.name} head={choice} /> : <Skeleton lines={4} />}
    </section>
  )
}
