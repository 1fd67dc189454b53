import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatAgo, t } from '../../../ui/messages'
import { Table } from '../../../ui/Table'
import { toastError } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import type { List } from '../types'
import type { Entrance } from './types'

/** Sessions of the organisation's own people in this space. */
export function EntrancesPart() {
  const { data, error, reload } = useApi<List<Entrance>>('/sessions')
  const end = (id: string) => api.del(`/sessions/${id}`).then(() => refresh('/sessions'), toastError)
  return (
    <section className="eh-stack">
      <h2>{t('console.entrances')}</h2>
      <p className="eh-muted">{t('console.entrances.text')}</p>
      {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
      {data && !data.items.length ? <p>{t('console.entrances.none')}</p> : null}
      {data?.items.length ? (
        <Table
          label={t('console.entrances')}
          rows={data.items}
          rowKey={(line) => line.id}
          columns={[
            {
              key: 'who',
              title: t('console.who'),
              cell: (line) => (
                <>
                  <strong className="eh-break">{line.name}</strong>
                  <div className="eh-muted eh-small">
                    {line.browser} {line.address}
                  </div>
                </>
              ),
            },
            { key: 'by', title: t('account.session.by'), tight: true, wideOnly: true, cell: (line) => t(`account.method.${line.method}`) },
            { key: 'since', title: t('console.entrances.since'), tight: true, cell: (line) => formatAgo(line.entered_at) },
            {
              key: 'do',
              title: t('ui.more'),
              hideTitle: true,
              tight: true,
              cell: (line) => (
                <Button small look="quiet" onClick={() => void end(line.id)} aria-label={t('console.entrances.end-what', { name: line.name })}>
                  {t('console.entrances.end')}
                </Button>
              ),
            },
          ]}
        />
      ) : null}
    </section>
  )
}
