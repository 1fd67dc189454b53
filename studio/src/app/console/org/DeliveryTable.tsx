import type { MouseEvent } from 'react'
import { API } from '../../../ui/api'
import { buttonClass } from '../../../ui/Button'
import { EmptyState } from '../../../ui/EmptyState'
import { Icon } from '../../../ui/Icon'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { Table } from '../../../ui/Table'
import { downloadUrl, fileName } from '../download'
import { downloadWhenFresh } from '../fresh'
import type { Delivery } from '../types'

export function DeliveryTable({ rows, projectName }: { rows: readonly Delivery[]; projectName?: (id: string) => string }) {
  if (!rows.length) return <EmptyState icon="box" title={t('console.deliveries.none')} text={t('console.deliveries.none.text')} />
  return (
    <Table
      label={t('console.deliveries')}
      rows={rows}
      rowKey={(row) => row.id}
      columns={[
        { key: 'name', title: t('console.delivery'), cell: (row) => <strong>{row.name || formatDate(row.at, 'date')}</strong> },
        ...(projectName ? [{ key: 'project', title: t('console.project'), cell: (row: Delivery) => (row.project ? projectName(row.project) : '') }] : []),
        { key: 'format', title: t('console.format'), tight: true, cell: (row) => row.format?.toUpperCase() ?? '', wideOnly: true },
        { key: 'n', title: t('console.tab.tasks'), number: true, cell: (row) => formatNumber(row.task_count) },
        { key: 'at', title: t('console.when'), tight: true, cell: (row) => formatDate(row.at), wideOnly: true },
        { key: 'get', title: t('console.export.download'), hideTitle: true, tight: true, cell: (row) => <Get delivery={row} /> },
      ]}
    />
  )
}

const endings: Record<string, string> = { coco: 'json', yolo: 'zip', csv: 'csv' }

/** Our own address gets the organisation; anything else is a signed link. */
function Get({ delivery }: { delivery: Delivery }) {
  const own = delivery.url.startsWith(`${API}/`)
  const name = fileName(`${delivery.name || 'delivery'}-${delivery.id.slice(-6)}`, endings[delivery.format ?? ''] ?? 'jsonl')
  const url = own ? downloadUrl(delivery.url.slice(API.length)) : delivery.url
  const get = (event: MouseEvent) => {
    if (!own) return
    event.preventDefault()
    void downloadWhenFresh(url, name)
  }
  return (
    <a className={buttonClass('plain', true)} href={url} download={name} onClick={get}>
      <Icon name="download" />
      {t('console.export.download')}
      <span className="eh-sr">{delivery.name || formatDate(delivery.at, 'date')}</span>
    </a>
  )
}
