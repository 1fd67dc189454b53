import { useState } from 'react'
import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { Confirm } from '../../../ui/FormDialog'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatDate, t } from '../../../ui/messages'
import { useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { Table, type Column } from '../../../ui/Table'
import { refresh, useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import type { ApiKey, List } from '../types'
import { NewKeyDialog } from './NewKeyDialog'

export function KeysPage() {
  const { org } = useSignedIn()
  useTitle(t('console.keys'))
  return (
    <div className="eh-page">
      {mayManage(org) ? (
        <Keys mode={org?.mode ?? 'live'} />
      ) : (
        <>
          <h1>{t('console.keys')}</h1>
          <EmptyState icon="key" title={t('console.keys.owners')} text={t('console.keys.owners.text')} />
        </>
      )}
    </div>
  )
}

function Keys({ mode }: { mode: 'live' | 'test' }) {
  const list = useApi<List<ApiKey>>('/keys', { query: { limit: 200 } })
  const [query, setQuery] = useQuery()
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const add = (
    <Button look="primary" icon="plus" onClick={() => setQuery({ new: '1' })}>
      {t('console.keys.new')}
    </Button>
  )
  const example = `curl ${location.origin}/api/v1/projects -H "Authorization: Bearer ${mode}_..."`
  return (
    <>
      <div className="eh-page-head">
        <h1>{t('console.keys')}</h1>
        {list.data?.items.length ? add : null}
      </div>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Skeleton lines={4} height={30} /> : null}
      {list.data && !list.data.items.length ? (
        <EmptyState icon="key" title={t('console.keys.none')} text={t('console.keys.none.text')} action={add} example={{ label: t('console.keys.example'), code: example }} />
      ) : null}
      {list.data?.items.length ? <p className="eh-muted eh-narrow">{t('console.keys.text')}</p> : null}
      {list.data?.items.length ? <Table label={t('console.keys')} rows={list.data.items} rowKey={(key) => key.id} columns={columns(setRevoking)} /> : null}
      <NewKeyDialog open={query.get('new') === '1'} onClose={() => setQuery({ new: null }, { replace: true })} mode={mode} />
      <Confirm
        open={revoking !== null}
        onClose={() => setRevoking(null)}
        title={t('console.keys.revoke-what', { name: revoking ? nameOf(revoking) : '' })}
        verb={t('console.keys.revoke')}
        look="danger"
        act={async () => {
          if (!revoking) return
          await api.del(`/keys/${revoking.id}`)
          refresh('/keys')
        }}
      >
        <p>{t('console.keys.revoke-text')}</p>
      </Confirm>
    </>
  )
}

const SOON_MS = 14 * 86_400_000

/** When a key ends; marked when that is soon, or was. */
function Expiry({ at }: { at: string | null }) {
  if (!at) return <>{t('console.keys.never')}</>
  const left = new Date(at).getTime() - Date.now()
  const day = formatDate(at, 'date')
  if (left <= 0) return <Badge look="danger">{t('console.keys.ended', { when: day })}</Badge>
  return left < SOON_MS ? <Badge look="warn">{t('console.keys.soon', { when: day })}</Badge> : <>{day}</>
}

/** Keys made by a program have no name. */
function nameOf(key: ApiKey): string {
  return key.name || `${key.prefix}…`
}

function columns(revoke: (key: ApiKey) => void): Column<ApiKey>[] {
  return [
    { key: 'name', title: t('console.keys.name'), cell: (key) => <strong className="eh-break">{nameOf(key)}</strong> },
    { key: 'prefix', title: t('console.keys.key'), tight: true, wideOnly: true, cell: (key) => <code>{key.prefix}…</code> },
    { key: 'mode', title: t('console.keys.mode'), tight: true, cell: (key) => <Badge look={key.mode === 'live' ? 'ok' : 'warn'}>{t(`console.mode.${key.mode}`)}</Badge> },
    { key: 'scopes', title: t('console.keys.may'), tight: true, wideOnly: true, cell: (key) => key.scopes.map((scope) => t(`console.scope.${scope}`)).join(', ') },
    { key: 'created', title: t('console.keys.created'), tight: true, wideOnly: true, cell: (key) => formatDate(key.created_at, 'date') },
    { key: 'expires', title: t('console.keys.expires'), tight: true, cell: (key) => <Expiry at={key.expires_at ?? null} /> },
    {
      key: 'do',
      title: t('console.keys.revoke'),
      hideTitle: true,
      tight: true,
      cell: (key) => (
        <Button small look="quiet" onClick={() => revoke(key)} aria-label={t('console.keys.revoke-what', { name: nameOf(key) })}>
          {t('console.keys.revoke')}
        </Button>
      ),
    },
  ]
}
