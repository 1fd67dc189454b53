import { formatDate, formatNumber, t } from '../../../ui/messages'
import { Link } from '../../../ui/router'
import { Table } from '../../../ui/Table'
import { to } from '../paths'
import type { KeyUse } from './types'

const PURPOSES = { serving: 'console.encryption.purpose.serving', 'wrapping anew': 'console.encryption.purpose.anew' } as const

/** Who had the organisation's key opened, newest first, as the log has it. */
export function Uses({ uses }: { uses: readonly KeyUse[] }) {
  return (
    <section className="eh-stack-2">
      <h2>{t('console.encryption.uses')}</h2>
      <p className="eh-muted">
        {t('console.encryption.uses.text')} <Link to={`${to.trust()}?show=keys`}>{t('console.encryption.uses.more')}</Link>
      </p>
      <Table
        label={t('console.encryption.uses')}
        rows={uses}
        rowKey={(use) => `${use.at} ${use.process} ${use.purpose}`}
        columns={[
          { key: 'at', title: t('console.when'), tight: true, cell: (use) => formatDate(use.at) },
          { key: 'why', title: t('console.encryption.purpose'), cell: (use) => purposeText(use.purpose) },
          { key: 'process', title: t('console.encryption.process'), tight: true, wideOnly: true, cell: (use) => <code>{use.process}</code> },
          { key: 'service', title: t('console.encryption.service'), wideOnly: true, cell: (use) => <span className="eh-break">{use.service === 'this installation' ? t('console.encryption.kind.local') : use.service}</span> },
          { key: 'keys', title: t('console.encryption.opened'), number: true, cell: (use) => formatNumber(use.keys) },
          { key: 'refused', title: t('console.encryption.refused'), number: true, wideOnly: true, cell: (use) => formatNumber(use.refused) },
        ]}
      />
    </section>
  )
}

/** A purpose without words of its own is shown as the log has it. */
function purposeText(purpose: string): string {
  return purpose in PURPOSES ? t(PURPOSES[purpose as keyof typeof PURPOSES]) : purpose
}
