import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Confirm } from '../../../ui/FormDialog'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatPercent, t } from '../../../ui/messages'
import { Progress } from '../../../ui/Progress'
import { Link } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { toast } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { to } from '../paths'
import type { Pilot, Project } from '../types'

/** Label ten yourself, compare, go. */
export function PilotTab({ project }: { project: Project }) {
  const { data: pilot, error, reload } = useApi<Pilot>(`/projects/${project.id}/pilot`, { poll: 10_000 })
  const { org } = useSignedIn()
  const [asking, setAsking] = useState(false)
  if (!pilot) return error ? <ErrorNote error={error} retry={reload} /> : <Skeleton lines={5} />
  const size = Math.max(1, pilot.size)
  const go = async () => {
    await api.post(`/projects/${project.id}/pilot/go`)
    refresh('/projects')
    toast(t('console.pilot.gone'), 'ok')
  }
  if (pilot.size === 0 && pilot.stage === 'pilot')
    return (
      <EmptyState
        icon="flag"
        title={t('console.pilot.empty')}
        text={t('console.pilot.empty.text')}
        action={
          <Link className="eh-button eh-button-primary" to={`${to.project(project.id, 'pilot')}?import=1`}>
            {t('console.import')}
          </Link>
        }
      />
    )
  if (pilot.stage === 'live' && pilot.yours === 0) return <EmptyState icon="flag" title={t('console.pilot.none')} text={t('console.pilot.none.text')} />
  const compared = pilot.pairs.filter((pair) => pair.agreement !== null)
  return (
    <>
      <p className="eh-muted eh-narrow">{pilot.stage === 'live' ? t('console.pilot.live') : t('console.pilot.text')}</p>
      <ol className="eh-steps">
        <li className={pilot.yours >= size ? 'eh-card eh-step eh-step-done' : 'eh-card eh-step'}>
          <div className="eh-stack-2">
            <h2>{t('console.pilot.label', { count: pilot.size })}</h2>
            <p className="eh-muted">{t('console.pilot.label.text')}</p>
            <Progress label={t('console.pilot.label', { count: pilot.size })} total={size} parts={[{ value: pilot.yours, look: 'ok' }]} />
            <div>{t('console.pilot.of', { done: pilot.yours, total: pilot.size })}</div>
            {pilot.stage === 'pilot' && pilot.yours < pilot.size ? (
              <div>
                <Link className="eh-button eh-button-primary" to={to.pilotLabel(project.id)}>
                  {t(pilot.yours ? 'console.pilot.continue' : 'console.pilot.start')}
                </Link>
              </div>
            ) : null}
          </div>
        </li>
        <li className={compared.length >= size ? 'eh-card eh-step eh-step-done' : 'eh-card eh-step'}>
          <div className="eh-stack-2">
            <h2>{t('console.pilot.compare')}</h2>
            <p className="eh-muted">{t('console.pilot.compare.text')}</p>
            <Progress label={t('console.pilot.compare')} total={size} parts={[{ value: pilot.theirs, look: 'accent' }]} />
            <div>{t('console.pilot.theirs', { done: pilot.theirs, total: pilot.size })}</div>
            {pilot.agreement !== null ? (
              <div>
                <strong>{t('console.pilot.agreement', { share: formatPercent(pilot.agreement) })}</strong>{' '}
                <span className="eh-muted">{t('console.pilot.compared', { count: compared.length })}</span>
              </div>
            ) : null}
          </div>
        </li>
        <li className={pilot.stage === 'live' ? 'eh-card eh-step eh-step-done' : 'eh-card eh-step'}>
          <div className="eh-stack-2">
            <h2>{t('console.pilot.go')}</h2>
            <p className="eh-muted">{t('console.pilot.go.text')}</p>
            {pilot.stage === 'live' ? (
              <div>{t('console.pilot.is-live')}</div>
            ) : mayWrite(org) ? (
              <div>
                <Button look={compared.length ? 'primary' : 'plain'} onClick={() => setAsking(true)}>
                  {t('console.pilot.go-button')}
                </Button>
              </div>
            ) : null}
          </div>
        </li>
      </ol>
      {pilot.pairs.length ? (
        <section className="eh-stack-2">
          <h2>{t('console.pilot.pairs')}</h2>
          <p className="eh-muted eh-small">{t('console.pilot.pairs.text')}</p>
          <ul className="eh-agreements">
            {pilot.pairs.map((pair, at) => (
              <li key={pair.task}>
                <Link
                  to={to.task(project.id, pair.task)}
                  className={`eh-agreement eh-agreement-${pair.agreement === null ? 'none' : pair.agreement >= 0.8 ? 'ok' : pair.agreement >= 0.5 ? 'warn' : 'danger'}`}
                  aria-label={t('console.pilot.pair', { n: at + 1, share: pair.agreement === null ? t('console.pilot.not-yet') : formatPercent(pair.agreement) })}
                >
                  <span className="eh-muted">{at + 1}</span>
                  <br />
                  {pair.agreement === null ? '–' : formatPercent(pair.agreement)}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      <Confirm open={asking} onClose={() => setAsking(false)} title={t('console.pilot.go-title', { name: project.name })} verb={t('console.pilot.go-button')} act={go}>
        <p>{compared.length ? t('console.pilot.go-ask') : t('console.pilot.go-early')}</p>
      </Confirm>
    </>
  )
}
