import { Badge } from '../../../ui/Badge'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import { downloadUrl, startDownload } from '../download'
import { Button } from '../../../ui/Button'
import type { List, Project } from '../types'
import { Grants } from './Grants'
import type { Contracts, Leaver } from './types'
import { Walls } from './Walls'
import './Support.css'

/** Who of the operator's people may look, whom walls keep off, who left, and what is agreed. */
export function SupportPage({ projects }: { projects: readonly Project[] }) {
  const { org } = useSignedIn()
  useTitle(t('console.support'))
  if (org?.role === 'support') return <ContractCard />
  return (
    <div className="eh-page eh-support">
      <h1>{t('console.support')}</h1>
      <p className="eh-muted">{t('console.support.text')}</p>
      <Grants projects={projects} manages={mayManage(org)} />
      <Walls manages={mayManage(org)} live={org?.mode === 'live'} />
      <Leavers />
      <ContractCard />
    </div>
  )
}

function Leavers() {
  const { data, error, reload } = useApi<List<Leaver>>('/leavers')
  return (
    <section className="eh-stack-2">
      <h2>{t('console.leavers')}</h2>
      <p className="eh-muted">{t('console.leavers.text')}</p>
      {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
      {data && !data.items.length ? <p className="eh-muted">{t('console.leavers.none')}</p> : null}
      {data?.items.length ? (
        <Table
          label={t('console.leavers')}
          rows={data.items}
          rowKey={(one) => one.person}
          columns={[
            { key: 'name', title: t('console.who'), cell: (one) => <strong className="eh-break">{one.name}</strong> },
            { key: 'at', title: t('console.leavers.left'), tight: true, cell: (one) => formatDate(one.at, 'date') },
            { key: 'tasks', title: t('console.leavers.tasks'), number: true, cell: (one) => formatNumber(one.tasks) },
            { key: 'files', title: t('console.leavers.files'), number: true, wideOnly: true, cell: (one) => formatNumber(one.files) },
            { key: 'exports', title: t('console.leavers.exports'), number: true, wideOnly: true, cell: (one) => formatNumber(one.exports) },
            {
              key: 'report',
              title: t('console.leavers.report'),
              hideTitle: true,
              tight: true,
              cell: (one) => (
                <Button small look="quiet" onClick={() => startDownload(downloadUrl(`/people/${one.person}/report`), `${one.name}.json`)}>
                  {t('console.leavers.report')}
                </Button>
              ),
            },
          ]}
        />
      ) : null}
    </section>
  )
}

function ContractCard() {
  const { data, error, reload } = useApi<Contracts>('/contract')
  if (error && !data) return <ErrorNote error={error} retry={reload} />
  if (!data) return <Skeleton lines={3} />
  const now = data.now
  const rows: [string, string][] = [
    [t('console.contract.class'), now.price_class],
    [t('console.contract.weight'), formatNumber(now.weight)],
    [t('console.contract.price'), `${(now.hour_cents / 100).toFixed(2)} ${now.currency}`],
    [t('console.contract.capacity'), now.capacity_h === null ? t('console.contract.any') : t('console.contract.hours', { count: now.capacity_h })],
    [t('console.contract.support'), now.support || t('console.contract.usual')],
    [t('console.contract.until'), now.until_at ? formatDate(now.until_at, 'date') : t('console.contract.open')],
  ]
  return (
    <section className="eh-stack-2">
      <h2>
        {t('console.contract')} {now.version ? <Badge>{t('console.contract.version', { version: now.version })}</Badge> : <Badge>{t('console.contract.everybody')}</Badge>}
      </h2>
      <dl className="eh-card eh-terms">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="eh-muted">{t('console.contract.text')}</p>
    </section>
  )
}
