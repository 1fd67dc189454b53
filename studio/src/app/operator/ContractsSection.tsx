import { formatDate, formatNumber, t } from '../../ui/messages'
import { Table } from '../../ui/Table'
import { useApi } from '../../ui/useApi'
import type { KeptOff, OperatorOrg, OrgContract } from './types'

/** Which contract every customer has, and who is kept off whom. Agreed on with `evenhand contract set`. */
export function ContractsSection({ orgs }: { orgs: readonly OperatorOrg[] }) {
  const contracts = useApi<{ items: OrgContract[] }>('/operator/contracts', { org: null })
  const off = useApi<{ items: KeptOff[] }>('/operator/kept-off', { org: null })
  const names = new Map(orgs.map((org) => [org.id, org.name]))
  return (
    <section className="eh-stack-2">
      <h2>{t('operator.contracts')}</h2>
      <p className="eh-muted">
        {t('operator.contracts.text')} <code>evenhand rate-card show</code>, <code>evenhand contract set</code>
      </p>
      <Table
        label={t('operator.contracts')}
        rows={contracts.data?.items ?? []}
        rowKey={(row) => row.org}
        columns={[
          { key: 'org', title: t('operator.org'), cell: (row) => <strong className="eh-break">{names.get(row.org) ?? row.org}</strong> },
          { key: 'class', title: t('operator.contracts.class'), cell: (row) => row.price_class },
          { key: 'weight', title: t('operator.contracts.weight'), number: true, cell: (row) => formatNumber(row.weight) },
          { key: 'capacity', title: t('operator.contracts.hours'), number: true, wideOnly: true, cell: (row) => (row.capacity_h === null ? '–' : formatNumber(row.capacity_h)) },
        ]}
      />
      {off.data?.items.length ? (
        <>
          <h3>{t('operator.kept-off')}</h3>
          <Table
            label={t('operator.kept-off')}
            rows={off.data.items.map((row) => ({ ...row, key: `${row.person} ${row.org}` }))}
            rowKey={(row) => row.key}
            columns={[
              { key: 'name', title: t('operator.name'), cell: (row) => <span className="eh-break">{row.name}</span> },
              { key: 'org', title: t('operator.org'), cell: (row) => row.org_name },
              { key: 'until', title: t('operator.kept-off.until'), tight: true, cell: (row) => (row.until.startsWith('9999') ? t('operator.kept-off.good') : formatDate(row.until)) },
            ]}
          />
        </>
      ) : null}
    </section>
  )
}
