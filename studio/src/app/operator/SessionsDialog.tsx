import { api } from '../../ui/api'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { ErrorNote } from '../../ui/ErrorNote'
import { formatAgo, formatDate, t } from '../../ui/messages'
import { Skeleton } from '../../ui/Skeleton'
import { Table } from '../../ui/Table'
import { toast, toastError } from '../../ui/Toast'
import { useApi } from '../../ui/useApi'
import type { SessionLine } from '../account/types'
import type { OperatorPerson } from './types'

/** Where somebody is signed in, and the end of all of it. */
export function SessionsDialog({ person, onClose }: { person: OperatorPerson; onClose: () => void }) {
  const path = `/operator/people/${person.id}/sessions`
  const { data, error, reload } = useApi<{ items: SessionLine[] }>(path, { org: null })
  const name = person.name || person.email
  const end = async () => {
    await api.del(path, { org: null })
    toast(t('operator.sessions.ended', { name }))
    onClose()
  }
  const lines = data?.items ?? []
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('operator.sessions.title', { name })}
      wide
      foot={
        lines.length > 0 ? (
          <Button look="danger" onClick={() => void end().catch(toastError)}>
            {t('operator.sessions.end')}
          </Button>
        ) : undefined
      }
    >
      {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
      {!data && !error ? <Skeleton lines={3} /> : null}
      {data && lines.length === 0 ? <p className="eh-muted">{t('operator.sessions.none')}</p> : null}
      {lines.length > 0 ? <Lines lines={lines} name={name} /> : null}
    </Dialog>
  )
}

function Lines({ lines, name }: { lines: readonly SessionLine[]; name: string }) {
  return (
    <>
      <p className="eh-muted">{t('operator.sessions.text')}</p>
      <Table
        label={t('operator.sessions.title', { name })}
        rows={lines}
        rowKey={(line) => line.id}
        columns={[
          {
            key: 'where',
            title: t('account.session.where'),
            cell: (line) => (
              <>
                <strong className="eh-break">{line.browser || t('account.session.unknown')}</strong>
                <div className="eh-muted eh-small">{line.address}</div>
              </>
            ),
          },
          { key: 'by', title: t('account.session.by'), tight: true, wideOnly: true, cell: (line) => t(`account.method.${line.method}`) },
          { key: 'seen', title: t('account.session.seen'), tight: true, cell: (line) => formatAgo(line.seen_at) },
          { key: 'ends', title: t('account.session.ends'), tight: true, wideOnly: true, cell: (line) => formatDate(line.expires_at) },
        ]}
      />
    </>
  )
}
