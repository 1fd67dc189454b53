import { formatNumber, t } from '../../ui/messages'
import { Table } from '../../ui/Table'
import { Shares } from './Shares'
import type { Day, Versus } from './types'

const percent = (share: number) => formatNumber(share, { style: 'percent', maximumFractionDigits: 2 })
const seconds = (n: number) => t('neutrality.seconds', { n: formatNumber(n, { maximumFractionDigits: 1 }) })

/** All figures of one publication. */
export function Figures({ shown }: { shown: Day }) {
  return (
    <>
      <Tiles shown={shown} />
      <Shares key={`${shown.day} ${shown.work}`} of={shown} />
      <Tests shown={shown} />
      <Waiting shown={shown} />
      {shown.held_back ? <p className="eh-muted">{t('neutrality.held', { count: shown.held_back })}</p> : null}
    </>
  )
}

function Tiles({ shown }: { shown: Day }) {
  const { customers, jain, largest_lag: lag, lag_of_limit: part } = shown.figures
  const few = t('neutrality.few')
  const tiles = [
    { title: t('neutrality.customers'), value: jain === null ? few : formatNumber(customers), note: '' },
    { title: t('neutrality.jain'), value: jain === null ? few : formatNumber(jain, { maximumFractionDigits: 4 }), note: t('neutrality.jain.text') },
    { title: t('neutrality.lag'), value: lag === null ? few : percent(lag), note: t('neutrality.lag.text') },
    { title: t('neutrality.limit'), value: part === null ? few : percent(part), note: t('neutrality.limit.text') },
  ]
  return (
    <dl className="eh-neutral-tiles">
      {tiles.map((tile) => (
        <div key={tile.title} className="eh-card">
          <dt>{tile.title}</dt>
          <dd>
            <strong>{tile.value}</strong>
            <span className="eh-muted eh-small">{tile.note}</span>
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Tests({ shown }: { shown: Day }) {
  const { service_test: service, waiting_test: waiting } = shown.figures
  type Row = { name: string; test: Versus; write: (n: number) => string }
  const rows: Row[] = []
  if (service) rows.push({ name: t('neutrality.test.service'), test: service, write: percent })
  if (waiting) rows.push({ name: t('neutrality.test.waiting'), test: waiting, write: seconds })
  const end = (n: number | null, write: Row['write']) => (n === null ? t('neutrality.open') : write(n))
  return (
    <section className="eh-stack-2">
      <h2>{t('neutrality.test')}</h2>
      <p className="eh-muted">{t('neutrality.test.text')}</p>
      {rows.length ? (
        <Table
          label={t('neutrality.test')}
          rows={rows}
          rowKey={(row) => row.name}
          columns={[
            { key: 'what', title: t('neutrality.test.what'), cell: (row) => row.name },
            { key: 'difference', title: t('neutrality.test.difference'), number: true, cell: (row) => (row.test.difference === null ? '–' : row.write(row.test.difference)) },
            {
              key: 'interval',
              title: t('neutrality.test.interval', { level: percent(1 - shown.level) }),
              number: true,
              cell: (row) => t('neutrality.interval', { low: end(row.test.low, row.write), high: end(row.test.high, row.write) }),
            },
            { key: 'p', title: t('neutrality.test.p'), number: true, cell: (row) => formatNumber(row.test.p, { maximumFractionDigits: 4 }) },
            { key: 'detectable', title: t('neutrality.test.detectable'), number: true, cell: (row) => (row.test.detectable === null ? '–' : row.write(row.test.detectable)) },
          ]}
        />
      ) : (
        <p>{t('neutrality.few')}</p>
      )}
    </section>
  )
}

function Waiting({ shown }: { shown: Day }) {
  const { waiting, affiliates_waiting: affiliates, others_waiting: others } = shown.figures
  const at = (found: typeof waiting, n: number) => {
    const one = found?.[n]
    return one ? seconds(one.seconds) : t('neutrality.few')
  }
  return (
    <section className="eh-stack-2">
      <h2>{t('neutrality.waiting')}</h2>
      <p className="eh-muted">{t('neutrality.waiting.text')}</p>
      {waiting ? (
        <Table
          label={t('neutrality.waiting')}
          rows={waiting.map((one, n) => ({ p: one.p, n }))}
          rowKey={(row) => String(row.p)}
          columns={[
            { key: 'p', title: t('neutrality.waiting.share'), cell: (row) => percent(row.p) },
            { key: 'all', title: t('neutrality.waiting.all'), number: true, cell: (row) => at(waiting, row.n) },
            { key: 'affiliates', title: t('neutrality.waiting.affiliates'), number: true, cell: (row) => at(affiliates, row.n) },
            { key: 'others', title: t('neutrality.waiting.others'), number: true, cell: (row) => at(others, row.n) },
          ]}
        />
      ) : (
        <p>{t('neutrality.few')}</p>
      )}
    </section>
  )
}
