import { formatNumber, t } from '../../ui/messages'
import { Table } from '../../ui/Table'
import type { Versus, Week } from './types'

const percent = (share: number | null) => (share === null ? '–' : formatNumber(share, { style: 'percent', maximumFractionDigits: 2 }))
const end = (share: number | null) => (share === null ? t('neutrality.open') : percent(share))

/** Affiliates beside all others, a week at a time. */
export function Weeks({ weeks }: { weeks: Week[] }) {
  const newest = weeks[0]
  if (!newest) return null
  const of = (week: Week, write: (test: Versus) => string) => (week.service_test ? write(week.service_test) : t('neutrality.few'))
  return (
    <section className="eh-stack-2">
      <h2>{t('neutrality.weeks')}</h2>
      <p className="eh-muted">{t('neutrality.weeks.text')}</p>
      <Table
        label={t('neutrality.weeks')}
        rows={weeks}
        rowKey={(week) => week.week}
        columns={[
          { key: 'week', title: t('neutrality.week'), cell: (week) => week.week },
          { key: 'difference', title: t('neutrality.test.difference'), number: true, cell: (week) => of(week, (test) => percent(test.difference)) },
          {
            key: 'interval',
            title: t('neutrality.test.interval', { level: percent(1 - newest.level) }),
            number: true,
            cell: (week) => of(week, (test) => t('neutrality.interval', { low: end(test.low), high: end(test.high) })),
          },
          { key: 'p', title: t('neutrality.test.p'), number: true, cell: (week) => of(week, (test) => formatNumber(test.p, { maximumFractionDigits: 4 })) },
          { key: 'detectable', title: t('neutrality.test.detectable'), number: true, cell: (week) => of(week, (test) => percent(test.detectable)) },
        ]}
      />
    </section>
  )
}
