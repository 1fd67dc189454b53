import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatDuration, t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import type { Project } from '../types'
import { KeyTable } from './KeyTable'
import { ServicePart } from './ServicePart'
import type { KeysView } from './types'
import { Uses } from './Uses'

/** The customer's own keys: where the key over all others is, what lies under it, and who opened it. */
export function EncryptionPage({ projects }: { projects: readonly Project[] }) {
  const { org } = useSignedIn()
  useTitle(t('console.encryption'))
  return (
    <div className="eh-page eh-page-narrow">
      <h1>{t('console.encryption')}</h1>
      {mayManage(org) ? <Parts projects={projects} /> : <EmptyState icon="lock" title={t('console.encryption.owners')} text={t('console.encryption.owners.text')} />}
    </div>
  )
}

function Parts({ projects }: { projects: readonly Project[] }) {
  const { data, error, reload } = useApi<KeysView>('/encryption', { poll: 15_000 })
  return (
    <>
      <p className="eh-muted">{t('console.encryption.text')}</p>
      {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
      {!data && !error ? <Skeleton lines={8} /> : null}
      {data ? (
        <>
          <ServicePart service={data.service} />
          <section className="eh-stack-2">
            <h2>{t('console.encryption.revoke')}</h2>
            <p>{t(data.service.kind === 'local' ? 'console.encryption.revoke.local' : 'console.encryption.revoke.own', { time: formatDuration(data.life_s) })}</p>
          </section>
          <KeyTable view={data} projects={projects} />
          <Uses uses={data.uses} />
        </>
      ) : null}
    </>
  )
}
