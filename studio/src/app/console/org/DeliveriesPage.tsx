import { ErrorNote } from '../../../ui/ErrorNote'
import { t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { useApi } from '../../../ui/useApi'
import { useTitle } from '../../shell/useTitle'
import type { Delivery, List, Project } from '../types'
import { DeliveryTable } from './DeliveryTable'

export function DeliveriesPage({ projects }: { projects: readonly Project[] }) {
  const list = useApi<List<Delivery>>('/deliveries', { query: { limit: 200 }, poll: 20_000 })
  useTitle(t('console.deliveries'))
  return (
    <div className="eh-page">
      <h1>{t('console.deliveries')}</h1>
      <p className="eh-muted">{t('console.deliveries.text')}</p>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {list.data ? <DeliveryTable rows={list.data.items} projectName={(id) => projects.find((project) => project.id === id)?.name ?? ''} /> : list.error ? null : <Skeleton lines={5} />}
    </div>
  )
}
