import { Button } from '../../../ui/Button'
import { formatDate, t } from '../../../ui/messages'
import { useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { endGrant } from './Grants'
import type { Support } from './types'
import './Support.css'

/** Says on every page who of the operator's people may read here; and to these, whose data they look at. */
export function SupportBanner() {
  const { org } = useSignedIn()
  if (!org) return null
  return org.role === 'support' ? <Watermark name={org.name} /> : <LiveGrants manages={mayManage(org)} />
}

function Watermark({ name }: { name: string }) {
  return (
    <>
      <div className="eh-support-banner eh-support-banner-by" role="status">
        {t('console.support.by', { name })}
      </div>
      <div className="eh-support-watermark" aria-hidden="true">
        {Array.from({ length: 40 }, (_, at) => (
          <span key={at}>{t('console.support.watermark')}</span>
        ))}
      </div>
    </>
  )
}

function LiveGrants({ manages }: { manages: boolean }) {
  const { data } = useApi<Support>('/support', { poll: 15_000 })
  const live = data?.grants.filter((grant) => grant.live) ?? []
  return (
    <>
      {live.map((grant) => (
        <div key={grant.id} className={grant.kind === 'break_glass' ? 'eh-support-banner eh-support-banner-glass' : 'eh-support-banner'} role="status">
          <span className="eh-grow">{t(`console.support.live.${grant.kind}`, { name: grant.staff, when: formatDate(grant.until_at) })}</span>
          {manages ? (
            <Button small onClick={() => void endGrant(grant.id)} aria-label={t('console.grants.end-of', { name: grant.staff })}>
              {t('console.grants.end')}
            </Button>
          ) : null}
        </div>
      ))}
    </>
  )
}
