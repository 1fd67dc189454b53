import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { Skeleton } from '../../ui/Skeleton'
import { useApi } from '../../ui/useApi'
import { ShareChart } from './ShareChart'
import type { Day, Neutrality } from './types'

/** Customer by customer: the only part that takes the lines of the day, so they are read when the day is chosen. */
export function Shares({ of }: { of: Day }) {
  return (
    <section className="eh-stack-2">
      <h2>{t('neutrality.shares')}</h2>
      {of.figures.jain === null ? <p>{t('neutrality.few')}</p> : <Chart of={of} />}
    </section>
  )
}

function Chart({ of: { day, work } }: { of: Day }) {
  const { data, error, reload } = useApi<Neutrality>('/neutrality', { query: { day, work }, org: null })
  const shown = data?.publications[0]
  if (!shown) return <div className="eh-shares-wait">{error ? <ErrorNote error={error} retry={reload} /> : <Skeleton lines={6} />}</div>
  return (
    <>
      <p className="eh-muted">{t('neutrality.shares.message', { count: shown.figures.shares.length })}</p>
      <ShareChart shown={shown} />
      {shown.lines.some((line) => line.affiliate) ? (
        <p className="eh-row eh-small">
          <span className="eh-shares-key eh-shares-key-affiliate" aria-hidden="true" /> {t('neutrality.affiliate')}
          <span className="eh-shares-key" aria-hidden="true" /> {t('neutrality.other')}
        </p>
      ) : null}
    </>
  )
}
