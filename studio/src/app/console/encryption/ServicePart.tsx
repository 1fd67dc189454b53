import { useState } from 'react'
import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { ChooseDialog } from './ChooseDialog'
import { RotateDialog } from './RotateDialog'
import type { Checked, Service } from './types'

/** Where the customer's key is, how it is, and what can be done with it. */
export function ServicePart({ service }: { service: Service }) {
  const [open, setOpen] = useState<'choose' | 'rotate' | null>(null)
  return (
    <section className="eh-stack" aria-labelledby="key-service">
      <div className="eh-section-head">
        <h2 id="key-service">{t('console.encryption.service')}</h2>
        <Badge look={service.state === 'enabled' ? 'ok' : 'danger'}>{t(`console.encryption.state.${service.state}`)}</Badge>
      </div>
      <dl className="eh-card eh-pairs">
        <dt>{t('console.encryption.where')}</dt>
        <dd className="eh-break">{service.kind === 'local' ? t('console.encryption.kind.local') : service.where}</dd>
        <dt>{t('console.encryption.key')}</dt>
        <dd className="eh-break">
          <code>{service.key_id}</code>
        </dd>
        <dt>{t('console.encryption.versions')}</dt>
        <dd>{service.versions.length ? service.versions.map((version) => formatNumber(version)).join(', ') : t('console.encryption.versions.unsaid')}</dd>
        <dt>{t('console.encryption.since')}</dt>
        <dd>{service.changed_at ? formatDate(service.changed_at) : t('console.encryption.since.start')}</dd>
      </dl>
      {service.trouble ? <p className="eh-break">{service.trouble}</p> : null}
      <div className="eh-row">
        <Check />
        <Button onClick={() => setOpen('choose')}>{t('console.encryption.choose')}</Button>
        <Button look="quiet" onClick={() => setOpen('rotate')}>
          {t('console.encryption.rotate')}
        </Button>
      </div>
      {open === 'choose' ? <ChooseDialog kind={service.kind} onClose={() => setOpen(null)} /> : null}
      {open === 'rotate' ? <RotateDialog level="customer" onClose={() => setOpen(null)} /> : null}
    </section>
  )
}

/** Has the service wrap and open something, and says how long that took. */
function Check() {
  const [busy, setBusy] = useState(false)
  const [done, setDone] = useState<Checked | null>(null)
  const [error, setError] = useState<unknown>(null)
  const check = async () => {
    setBusy(true)
    setError(null)
    try {
      setDone(await api.post<Checked>('/encryption/check'))
    } catch (caught) {
      setDone(null)
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Button icon="check" busy={busy} onClick={() => void check()}>
        {t('console.encryption.check')}
      </Button>
      <span role="status">{done ? t('console.encryption.checked', { wrap: Math.round(done.wrap_ms), unwrap: Math.round(done.unwrap_ms) }) : ''}</span>
      <ErrorNote error={error} />
    </>
  )
}
