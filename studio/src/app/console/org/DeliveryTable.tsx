import { useState } from 'react'
import { API, isAbort } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { EmptyState } from '../../../ui/EmptyState'
import { formatBytes, formatDate, formatNumber, t } from '../../../ui/messages'
import { Table } from '../../../ui/Table'
import { toastError } from '../../../ui/Toast'
import { download, fileName } from '../download'
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

/** Our own address is fetched with the organisation's header; anything else is a signed link. */
function Get({ delivery }: { delivery: Delivery }) {
  const [bytes, setBytes] = useState<number | null>(null)
  const label = t('console.delivery.download', { name: delivery.name ?? delivery.id })
  const own = delivery.url.startsWith(`${API}/`)
  if (!own)
    return (
      <a className="eh-button eh-button-small" href={delivery.url} download aria-label={label}>
        {t('console.export.download')}
      </a>
    )
  const get = async () => {
    setBytes(0)
    const endings: Record<string, string> = { coco: 'json', yolo: 'zip', csv: 'csv' }
    const name = fileName(`${delivery.name || 'delivery'}-${delivery.id.slice(-6)}`, endings[delivery.format ?? ''] ?? 'jsonl')
    try {
      await download(delivery.url.slice(API.length), {}, name, setBytes, new AbortController().signal)
    } catch (error) {
      if (!isAbort(error)) toastError(error)
    } finally {
      setBytes(null)
    }
  }
  return (
    <Button small icon="download" busy={bytes !== null} aria-label={label} onClick={() => void get()}>
      {bytes === null ? t('console.export.download') : formatBytes(bytes)}
    </Button>
  )
}
