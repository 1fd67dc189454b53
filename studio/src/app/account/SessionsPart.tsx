import { api } from '../../ui/api'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { formatAgo, formatDate, t } from '../../ui/messages'
import { Table } from '../../ui/Table'
import { toastError } from '../../ui/Toast'
import { refresh } from '../../ui/useApi'
import type { SessionLine } from './types'

/** Where somebody is signed in. A session that is ended opens nothing from that moment on. */
export function SessionsPart({ sessions, changes }: { sessions: readonly SessionLine[]; changes: boolean }) {
  const end = (path: string) => api.del(path, { org: null }).then(() => refresh('/me/security'), toastError)
  return (
    <section className="eh-account-part">
      <div className="eh-section-head">
        <h2>{t('account.sessions')}</h2>
        {changes && sessions.length > 1 ? <Button onClick={() => void end('/me/sessions')}>{t('account.session.end-others')}</Button> : null}
      </div>
      <Table
        label={t('account.sessions')}
        rows={sessions}
        rowKey={(line) => line.id}
        columns={[
          {
            key: 'where',
            title: t('account.session.where'),
            cell: (line) => (
              <>
                <strong className="eh-break">{line.browser || t('account.session.unknown')}</strong> {line.current ? <Badge look="ok">{t('account.session.this')}</Badge> : null}
                <div className="eh-muted eh-small">{line.address}</div>
              </>
            ),
          },
          { key: 'by', title: t('account.session.by'), tight: true, wideOnly: true, cell: (line) => t(`account.method.${line.method}`) },
          { key: 'since', title: t('account.session.since'), tight: true, wideOnly: true, cell: (line) => formatDate(line.started_at) },
          { key: 'seen', title: t('account.session.seen'), tight: true, cell: (line) => formatAgo(line.seen_at) },
          {
            key: 'do',
            title: t('ui.more'),
            hideTitle: true,
            tight: true,
            cell: (line) =>
              line.current || !changes ? null : (
                <Button small look="quiet" onClick={() => void end(`/me/sessions/${line.id}`)} aria-label={t('account.session.end-what', { what: line.browser || line.address })}>
                  {t('account.session.end')}
                </Button>
              ),
          },
        ]}
      />
    </section>
  )
}
