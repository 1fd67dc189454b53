import { useState } from 'react'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { Link } from '../../ui/router'
import { Skeleton } from '../../ui/Skeleton'
import { useApi } from '../../ui/useApi'
import { Brand } from '../shell/Brand'
import { useTitle } from '../shell/useTitle'
import { Figures } from './Figures'
import type { Days } from './types'
import { Weeks } from './Weeks'
import './Neutrality.css'

/** For anybody, signed in or not. */
export default function NeutralityPage() {
  const { data, error, reload } = useApi<Days>('/neutrality/days', { org: null })
  useTitle(t('neutrality.title'))
  return (
    <main className="eh-neutral">
      <div className="eh-page eh-page-narrow">
        <Link to="/" className="eh-brand">
          <Brand small />
        </Link>
        <header className="eh-stack-2">
          <h1>{t('neutrality.title')}</h1>
          <p className="eh-muted">{t('neutrality.text')}</p>
        </header>
        {data ? <Published found={data} /> : error ? <ErrorNote error={error} retry={reload} /> : <Skeleton lines={6} />}
        <section className="eh-stack-2">
          <h2>{t('neutrality.check')}</h2>
          <p className="eh-muted">{t('neutrality.check.text')}</p>
          <pre className="eh-neutral-command" tabIndex={0} aria-label={t('neutrality.check.command')}>
            <code>evenhand neutrality --from {location.origin}</code>
          </pre>
          <p>
            <a href="/api/v1/neutrality">{t('neutrality.raw')}</a>
          </p>
        </section>
      </div>
    </main>
  )
}

function Published({ found }: { found: Days }) {
  const [at, setAt] = useState(0)
  const shown = found.days[at]
  const rules = t('neutrality.none.text', { hours: found.delay_h, least: found.least })
  if (!shown) return <EmptyState icon="info" title={t('neutrality.none')} text={rules} />
  return (
    <>
      <div className="eh-stack-2">
        <label className="eh-stack-2 eh-short">
          <span>{t('neutrality.day')}</span>
          <select className="eh-input" value={at} onChange={(event) => setAt(Number(event.target.value))}>
            {found.days.map((one, n) => (
              <option key={`${one.day} ${one.work}`} value={n}>
                {one.day} · {one.work}
              </option>
            ))}
          </select>
        </label>
        <p className="eh-muted eh-small">{rules}</p>
      </div>
      <Weeks weeks={found.weeks} />
      <Figures shown={shown} />
    </>
  )
}
