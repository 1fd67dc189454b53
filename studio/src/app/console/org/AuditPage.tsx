import { Button } from '../../../ui/Button'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatDate, t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { useTitle } from '../../shell/useTitle'
import { factText } from '../facts'
import type { AuditItem } from '../types'
import { usePages } from '../usePages'

/** Who did what, in order: facts, not opinions. */
export function AuditPage() {
  const { items, loading, error, more, reload } = usePages<AuditItem>('/audit', { limit: 100 })
  useTitle(t('console.audit'))
  return (
    <div className="eh-page">
      <div className="eh-page-head">
        <h1>{t('console.audit')}</h1>
        <Button busy={loading && items.length > 0} onClick={reload}>
          {t('console.audit.newest')}
        </Button>
      </div>
      <p className="eh-muted">{t('console.audit.text')}</p>
      <ErrorNote error={error} retry={reload} />
      {loading && !items.length ? <Skeleton lines={8} height={24} /> : null}
      {!loading && !error && !items.length ? <EmptyState icon="log" title={t('console.audit.none')} text={t('console.audit.none.text')} /> : null}
      {items.length ? (
        <Table
          label={t('console.audit')}
          rows={items.map((item, at) => ({ ...item, at_row: at }))}
          rowKey={(item) => String(item.at_row)}
          columns={[
            { key: 'at', title: t('console.when'), tight: true, cell: (item) => <time dateTime={item.at} title={formatDate(item.at, 'full')}>{formatDate(item.at)}</time> },
            { key: 'who', title: t('console.who'), cell: (item) => item.who },
            { key: 'what', title: t('console.what'), cell: (item) => factText(item.what) },
            { key: 'about', title: t('console.about'), cell: (item) => <span className="eh-muted eh-break">{item.about}</span>, wideOnly: true },
          ]}
        />
      ) : null}
      {more ? (
        <div>
          <Button busy={loading} onClick={more}>
            {t('ui.show-more')}
          </Button>
        </div>
      ) : null}
    </div>
  )
}
