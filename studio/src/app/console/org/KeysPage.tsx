import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { Confirm, Dialog } from '../../../ui/Dialog'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Checkbox, FieldGroup, Segments, SelectField, TextField } from '../../../ui/Field'
import { formatAgo, formatDate, t } from '../../../ui/messages'
import { useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { refresh, useApi } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import { CopyText } from '../CopyText'
import type { ApiKey, List } from '../types'

export function KeysPage() {
  const list = useApi<List<ApiKey>>('/keys', { query: { limit: 200 } })
  const { org } = useSignedIn()
  const [query, setQuery] = useQuery()
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  useTitle(t('console.keys'))
  const writes = mayWrite(org)
  const add = writes ? (
    <Button look="primary" icon="plus" onClick={() => setQuery({ new: '1' })}>
      {t('console.keys.new')}
    </Button>
  ) : null
  const example = `curl ${location.origin}/api/v1/projects -H "Authorization: Bearer live_..."`
  return (
    <div className="eh-page">
      <div className="eh-page-head">
        <h1>{t('console.keys')}</h1>
        {list.data?.items.length ? add : null}
      </div>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Skeleton lines={4} height={30} /> : null}
      {list.data && !list.data.items.length ? (
        <EmptyState icon="key" title={t('console.keys.none')} text={t('console.keys.none.text')} action={add} example={{ label: t('console.keys.example'), code: example }} />
      ) : null}
      {list.data?.items.length ? (
        <Table
          label={t('console.keys')}
          rows={list.data.items}
          rowKey={(key) => key.id}
          columns={[
            { key: 'name', title: t('console.keys.name'), cell: (key) => <strong>{key.name}</strong> },
            { key: 'prefix', title: t('console.keys.key'), tight: true, cell: (key) => <code>{key.prefix}…</code> },
            { key: 'mode', title: t('console.keys.mode'), tight: true, cell: (key) => <Badge look={key.mode === 'live' ? 'ok' : 'warn'}>{t(`console.mode.${key.mode}`)}</Badge> },
            { key: 'scopes', title: t('console.keys.may'), tight: true, wideOnly: true, cell: (key) => (key.scopes ?? ['read', 'write']).map((scope) => t(scope === 'write' ? 'console.scope.write' : 'console.scope.read')).join(', ') },
            { key: 'used', title: t('console.keys.used'), tight: true, wideOnly: true, cell: (key) => (key.last_used_at ? formatAgo(key.last_used_at) : '–') },
            { key: 'expires', title: t('console.keys.expires'), tight: true, wideOnly: true, cell: (key) => (key.expires_at ? formatDate(key.expires_at, 'date') : t('console.keys.never')) },
            {
              key: 'do',
              title: t('console.keys.revoke'),
              hideTitle: true,
              tight: true,
              cell: (key) =>
                writes ? (
                  <Button small look="quiet" onClick={() => setRevoking(key)} aria-label={t('console.keys.revoke-what', { name: key.name })}>
                    {t('console.keys.revoke')}
                  </Button>
                ) : null,
            },
          ]}
        />
      ) : null}
      <NewKey open={query.get('new') === '1'} onClose={() => setQuery({ new: null }, { replace: true })} mode={org?.mode ?? 'live'} />
      <Confirm
        open={revoking !== null}
        onClose={() => setRevoking(null)}
        title={t('console.keys.revoke-what', { name: revoking?.name ?? '' })}
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
    </div>
  )
}

function NewKey({ open, onClose, mode: given }: { open: boolean; onClose: () => void; mode: 'live' | 'test' }) {
  const [name, setName] = useState('')
  const [mode, setMode] = useState(given)
  const [write, setWrite] = useState(true)
  const [days, setDays] = useState('0')
  const [made, setMade] = useState<{ key: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const close = () => {
    setMade(null)
    setName('')
    setError(null)
    onClose()
  }
  const create = async () => {
    if (!name.trim()) return
    setBusy(true)
    setError(null)
    try {
      const expires = Number(days) ? { expires_at: new Date(Date.now() + Number(days) * 86_400_000).toISOString() } : {}
      setMade(await api.post<{ key: string }>('/keys', { name: name.trim(), mode, scopes: write ? ['read', 'write'] : ['read'], ...expires }, { key: newKey() }))
      refresh('/keys')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      title={made ? t('console.keys.made') : t('console.keys.new')}
      onSubmit={() => void (made ? close() : create())}
      foot={
        made ? (
          <Button type="submit" look="primary">
            {t('console.keys.kept')}
          </Button>
        ) : (
          <>
            <Button onClick={close}>{t('ui.cancel')}</Button>
            <Button type="submit" look="primary" busy={busy} disabled={!name.trim()}>
              {t('console.keys.create')}
            </Button>
          </>
        )
      }
    >
      {made ? (
        <>
          <p>{t('console.keys.once')}</p>
          <CopyText text={made.key} label={t('console.keys.key')} />
        </>
      ) : (
        <>
          <TextField label={t('console.keys.name')} hint={t('console.keys.name.hint')} value={name} onText={setName} required maxLength={100} />
          <Segments
            label={t('console.keys.mode')}
            value={mode}
            options={[
              { value: 'live', label: t('console.mode.live') },
              { value: 'test', label: t('console.mode.test') },
            ]}
            onValue={setMode}
          />
          <FieldGroup label={t('console.keys.may')}>
            <Checkbox label={t('console.scope.read')} checked disabled onChecked={() => undefined} />
            <Checkbox label={t('console.scope.write')} hint={t('console.scope.write.hint')} checked={write} onChecked={setWrite} />
          </FieldGroup>
          <SelectField
            label={t('console.keys.expires')}
            value={days}
            options={[
              { value: '0', label: t('console.keys.never') },
              ...['30', '90', '365'].map((value) => ({ value, label: t('console.keys.days', { count: Number(value) }) })),
            ]}
            onValue={setDays}
          />
        </>
      )}
      <ErrorNote error={error} />
    </Dialog>
  )
}
