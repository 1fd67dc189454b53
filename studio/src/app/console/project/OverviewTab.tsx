import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Icon } from '../../../ui/Icon'
import { formatAgo, formatDate, formatDuration, formatNumber, t } from '../../../ui/messages'
import { Link } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { useApi } from '../../../ui/useApi'
import { Fact } from '../Fact'
import { doneShare, honestPercent, qualityText, stateLook, wanted, whenDone } from '../numbers'
import { factText } from '../facts'
import { to } from '../paths'
import { ProgressPlot, QualityBar } from '../plot/ProgressPlot'
import { taskStates, type ProgressReport, type Project } from '../types'

export function OverviewTab({ project }: { project: Project }) {
  const { data: report, error, reload } = useApi<ProgressReport>(`/projects/${project.id}/progress`, { poll: 5_000 })
  if (!report) return error ? <ErrorNote error={error} retry={reload} /> : <Skeleton lines={6} />
  const { counts } = report
  if (counts.total === 0)
    return (
      <EmptyState
        icon="upload"
        title={t('console.tasks.none')}
        text={t('console.tasks.none.text')}
        action={
          <Link className="eh-button eh-button-primary" to={`${to.project(project.id)}?import=1`}>
            <Icon name="upload" />
            {t('console.import')}
          </Link>
        }
        example={{ label: t('console.tasks.none.example'), code: `evenhand task import --project "${project.name}" tasks.jsonl` }}
      />
    )
  const quality = qualityText(report.quality)
  return (
    <>
      {error ? <ErrorNote error={error} retry={reload} /> : null}
      <dl className="eh-card eh-facts">
        <Fact name={t('console.five.far')} value={honestPercent(doneShare(counts))} sub={t('console.overview.left', { count: Math.max(0, wanted(counts) - counts.done) })} />
        <div className="eh-fact">
          <dt>{t('console.five.good')}</dt>
          <dd>
            {quality ? (
              <>
                {quality.main} <span className="eh-fact-sub">{quality.range}</span>
                <QualityBar quality={report.quality} />
              </>
            ) : (
              '–'
            )}
            <div className="eh-fact-sub">{quality ? t('console.quality.of', { accepted: report.quality.accepted, count: report.quality.reviewed }) : t('console.quality.none')}</div>
          </dd>
        </div>
        <Fact name={t('console.five.much')} value={formatNumber(counts.done)} sub={t('console.overview.much', { total: wanted(counts), time: formatDuration(report.seconds.total) })} />
        <Fact
          name={t('console.five.when')}
          value={whenDone(report)}
          sub={[report.done_at ? formatDate(report.done_at) : '', report.per_hour > 0 ? t('console.five.rate', { rate: formatNumber(report.per_hour, { maximumFractionDigits: 1 }) }) : ''].filter(Boolean).join(' · ')}
        />
        <Fact
          name={t('console.overview.time')}
          value={report.seconds.median > 0 ? formatDuration(report.seconds.median) : '–'}
          sub={report.seconds.p90 > 0 ? t('console.overview.p90', { time: formatDuration(report.seconds.p90) }) : ''}
        />
      </dl>
      <div className="eh-columns">
        <section className="eh-card">
          <ProgressPlot report={report} name={project.name} height={360} />
        </section>
        <div className="eh-stack">
          <section className="eh-card">
            <h2>{t('console.overview.states')}</h2>
            <ul className="eh-states">
              {taskStates
                .filter((state) => (counts[state] ?? 0) > 0 || state === 'open' || state === 'done')
                .map((state) => (
                  <li key={state}>
                    <Link to={to.tasks(project.id, { state })}>
                      <span className={`eh-dot eh-dot-${stateLook[state]}`} aria-hidden="true" />
                      <span className="eh-grow">{t(`console.state.${state}`)}</span>
                      {formatNumber(counts[state] ?? 0)}
                    </Link>
                  </li>
                ))}
            </ul>
          </section>
          <section className="eh-card" id="looked">
            <h2>{t('console.five.who')}</h2>
            {report.looked.length ? (
              <ul className="eh-looked" tabIndex={0} aria-label={t('console.five.who')}>
                {report.looked.map((item, at) => (
                  <li key={at}>
                    <strong>{item.who}</strong>
                    <time className="eh-muted eh-small" dateTime={item.at} title={formatDate(item.at, 'full')}>
                      {formatAgo(item.at)}
                    </time>
                    <span className="eh-what eh-muted eh-small">{factText(item.what)}</span>
                  </li>
                ))}
              </ul>
            ) : (
              <p className="eh-muted">{t('console.five.nobody')}</p>
            )}
          </section>
        </div>
      </div>
    </>
  )
}
