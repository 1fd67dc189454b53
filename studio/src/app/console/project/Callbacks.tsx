import { useState } from 'react'
import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { FieldGroup } from '../../../ui/Field'
import { formatAgo, formatDate, t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { toast, toastError } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { CopyText } from '../CopyText'
import type { Callback, List } from '../types'

export function CallbackSecrets() {
  const [shown, setShown] = useState(false)
  const { data, error, reload } = useApi<{ auth_key: string; signing_secret: string }>('/settings/callbacks')
  return (
    <section className="eh-card eh-stack">
      <div className="eh-section-head">
        <h2>{t('console.callbacks.secrets')}</h2>
        <Button small look="quiet" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {t(shown ? 'console.callbacks.hide' : 'console.callbacks.show')}
        </Button>
      </div>
      <p className="eh-muted">{t('console.callbacks.secrets.text')}</p>
      {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
      {data ? (
        <>
          <FieldGroup label={t('console.callbacks.auth')}>
            <CopyText text={data.auth_key} label={t('console.callbacks.auth')} shown={shown} />
          </FieldGroup>
          <FieldGroup label={t('console.callbacks.signing')}>
            <CopyText text={data.signing_secret} label={t('console.callbacks.signing')} shown={shown} />
          </FieldGroup>
        </>
      ) : error ? null : (
        <Skeleton lines={2} />
      )}
    </section>
  )
}

/** Every delivery of a callback with all its tries; `task` narrows it. */
export function CallbackLog({ task, writes }: { task?: string; writes: boolean }) {
  const { data, error, reload } = useApi<List<Callback>>('/callbacks', { query: { task: task ?? null, limit: 50 }, poll: 10_000 })
  const replay = async (callback: Callback) => {
    try {
      await api.post(`/callbacks/${callback.id}/replay`)
      refresh('/callbacks')
      toast(t('console.callbacks.replayed'), 'ok')
    } catch (caught) {
      toastError(caught)
    }
  }
  return (
    <section className={task ? 'eh-stack-2' : 'eh-card eh-stack'}>
      <h2>{t('console.callbacks')}</h2>
      {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
      {!data && !error ? <Skeleton /> : null}
      {data && !data.items.length ? <p className="eh-muted">{t('console.callbacks.none')}</p> : null}
      {data?.items.length ? (
        <Table
          label={t('console.callbacks')}
          rows={data.items}
          rowKey={(row) => row.id}
          columns={[
            { key: 'url', title: t('console.callbacks.to'), cell: (row) => <code className="eh-break">{row.url}</code> },
            {
              key: 'state',
              title: t('console.state'),
              tight: true,
              cell: (row) => <Badge look={row.state === 'done' ? 'ok' : row.state === 'failed' ? 'danger' : 'warn'}>{t(`console.callbacks.state.${row.state}`)}</Badge>,
            },
            {
              key: 'tries',
              title: t('console.callbacks.tries'),
              cell: (row) => {
                const last = row.tries.at(-1)
                return (
                  <span className="eh-small">
                    {t('console.callbacks.n-tries', { count: row.tries.length })}
                    {last ? (
                      <span className="eh-muted" title={formatDate(last.at, 'full')}>
                        {' '}
                        {formatAgo(last.at)} · {last.status ?? ''} {last.error ?? ''}
                      </span>
                    ) : null}
                  </span>
                )
              },
            },
            { key: 'next', title: t('console.callbacks.next'), tight: true, wideOnly: true, cell: (row) => (row.next_at ? formatAgo(row.next_at) : '–') },
            {
              key: 'do',
              title: t('console.callbacks.replay'),
              hideTitle: true,
              tight: true,
              cell: (row) =>
                writes ? (
                  <Button small onClick={() => void replay(row)}>
                    {t('console.callbacks.replay')}
                  </Button>
                ) : null,
            },
          ]}
        />
      ) : null}
    </section>
  )
}
