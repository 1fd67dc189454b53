import type { ReactNode } from 'react'
import { Badge } from '../../../ui/Badge'
import { formatAgo, formatDate, formatDuration, formatNumber, t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import type { TrustStatus } from './types'

/** Four answers: is the log on time, how many events are ours, who else watches it, what is its key. */
export function Health({ status }: { status: TrustStatus | undefined }) {
  return (
    <section className="eh-trust-health" aria-label={t('console.trust.health')}>
      {status ? (
        <>
          <LogCard status={status} />
          <Card title={t('console.trust.events')} main={formatNumber(status.events)}>
            {t('console.trust.events.text', { count: status.log.size, epoch: formatNumber(status.log.epoch) })}
          </Card>
          <Witnesses status={status} />
        </>
      ) : (
        [0, 1, 2].map((at) => (
          <div key={at} className="eh-card eh-trust-card">
            <Skeleton lines={3} />
          </div>
        ))
      )}
    </section>
  )
}

function LogCard({ status }: { status: TrustStatus }) {
  const late = status.log.late_s > 0
  return (
    <Card
      title={t('console.trust.log')}
      main={late ? t('console.trust.late', { time: formatDuration(status.log.late_s) }) : t('console.trust.on-time')}
      look={late ? 'warn' : 'ok'}
    >
      {status.log.batch_at ? (
        <time dateTime={status.log.batch_at} title={formatDate(status.log.batch_at, 'full')}>
          {t('console.trust.batch', { when: formatAgo(status.log.batch_at) })}
        </time>
      ) : (
        t('console.trust.no-batch')
      )}
    </Card>
  )
}

function Witnesses({ status }: { status: TrustStatus }) {
  const seen = status.witnesses.filter((one) => one.cosigned_at)
  if (!status.witnesses.length)
    return (
      <Card title={t('console.trust.witnesses')} main={t('console.trust.nobody')} look="warn">
        {t('console.trust.nobody.text')}
      </Card>
    )
  return (
    <Card
      title={t('console.trust.witnesses')}
      main={t('console.trust.witnessed', { count: formatNumber(seen.length), of: formatNumber(status.witnesses.length) })}
      look={status.quorum === false ? 'warn' : 'ok'}
    >
      <span>{t(status.quorum === false ? 'console.trust.witnessed.no' : 'console.trust.witnessed.yes')}</span>
      <span className="eh-trust-names">
        {status.witnesses.map((one) => (
          <Badge key={one.name} look={one.cosigned_at ? 'ok' : 'plain'} dot title={one.cosigned_at ? formatDate(one.cosigned_at, 'full') : undefined}>
            {one.name}
          </Badge>
        ))}
      </span>
    </Card>
  )
}

function Card({ title, main, look, children }: { title: string; main: string; look?: 'ok' | 'warn'; children: ReactNode }) {
  return (
    <div className="eh-card eh-trust-card">
      <h2 className="eh-trust-title">{title}</h2>
      <div className={look ? `eh-trust-main eh-trust-${look}` : 'eh-trust-main'}>{main}</div>
      <div className="eh-muted eh-trust-note">{children}</div>
    </div>
  )
}
