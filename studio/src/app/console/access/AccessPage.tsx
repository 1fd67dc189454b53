import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import { DomainsPart } from './DomainsPart'
import { EntrancesPart } from './EntrancesPart'
import { NetworksPart } from './NetworksPart'
import { ProviderPart } from './ProviderPart'
import type { Access } from './types'

/** How people and keys get into this space. */
export function AccessPage() {
  const { org } = useSignedIn()
  useTitle(t('console.access'))
  return (
    <div className="eh-page eh-page-narrow">
      <h1>{t('console.access')}</h1>
      {mayManage(org) ? <Parts live={org?.mode === 'live'} /> : <EmptyState icon="gear" title={t('console.access.owners')} text={t('console.access.owners.text')} />}
    </div>
  )
}

function Parts({ live }: { live: boolean }) {
  const { data, error, reload } = useApi<Access>('/access')
  return (
    <>
      <p className="eh-muted">{t('console.access.text')}</p>
      {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
      {!data && !error ? <Skeleton lines={8} /> : null}
      {data ? (
        <>
          {live ? (
            <>
              <ProviderPart provider={data.provider} />
              <DomainsPart domains={data.domains} />
            </>
          ) : (
            <section className="eh-stack-2">
              <h2>{t('console.provider')}</h2>
              <p className="eh-muted">{t('console.provider.live')}</p>
            </section>
          )}
          <NetworksPart networks={data.networks} address={data.address} />
          <EntrancesPart />
        </>
      ) : null}
    </>
  )
}
