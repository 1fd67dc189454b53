import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { t } from '../../../ui/messages'
import { useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import { downloadUrl, startDownload } from '../download'
import { Events } from './Events'
import { Feeds } from './Feeds'
import { Health } from './Health'
import type { TrustStatus } from './types'
import { Verify } from './Verify'
import './Trust.css'

/** Who touched what, and the proof of it. */
export function TrustPage() {
  const { org } = useSignedIn()
  const status = useApi<TrustStatus>('/trust/status', { poll: 5000 })
  useTitle(t('console.trust'))
  return (
    <div className="eh-page">
      <div className="eh-page-head">
        <h1>{t('console.trust')}</h1>
        <Button look="primary" icon="download" onClick={() => startDownload(downloadUrl('/trust/bundle'), 'evidence.zip')}>
          {t('console.trust.evidence')}
        </Button>
      </div>
      <p className="eh-muted eh-narrow">{t('console.trust.text')}</p>
      {status.error && !status.data ? <ErrorNote error={status.error} retry={status.reload} /> : <Health status={status.data} />}
      <div className="eh-trust-two">
        <Events />
        <div className="eh-trust-side">
          <Verify logKey={status.data?.key ?? ''} />
          {mayManage(org) ? <Feeds /> : null}
        </div>
      </div>
    </div>
  )
}
