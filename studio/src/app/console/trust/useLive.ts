// The newest events, read again while somebody looks, and older ones page by page below them.
import { useState } from 'react'
import { api, toApiError, type ApiError, type Page } from '../../../ui/api'
import { useApi } from '../../../ui/useApi'
import type { Group, TrustEvent } from './types'

const limit = 100
export const everyMs = 4000

export function useLive(group: Group, files: boolean, live: boolean) {
  const query = { limit, files, group }
  const newest = useApi<Page<TrustEvent>>('/audit', { query, ...(live ? { poll: everyMs } : {}) })
  const [older, setOlder] = useState<{ of: string; items: TrustEvent[]; next: string | null }>({ of: '', items: [], next: null })
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<ApiError | null>(null)
  const of = JSON.stringify(query)
  const held = older.of === of ? older : { of, items: [], next: null }
  const first = newest.data?.items ?? []
  const items = joined(first, held.items)
  const next = held.items.length ? held.next : (newest.data?.next ?? null)
  const more = async () => {
    setBusy(true)
    setFailed(null)
    try {
      const page = await api.get<Page<TrustEvent>>('/audit', { ...query, cursor: next })
      // What was newest when the first older page came stays below what comes in above it.
      setOlder({ of, items: [...(held.items.length ? held.items : first), ...page.items], next: page.next ?? null })
    } catch (caught) {
      setFailed(toApiError(caught))
    }
    setBusy(false)
  }
  return { items, loading: newest.loading && !newest.data, error: newest.data ? failed : newest.error, reload: newest.reload, more: next ? () => void more() : null, busy }
}

/** Both lists are newest first; what stands in both is taken from the first, which is fresher. */
export function joined(first: readonly TrustEvent[], older: readonly TrustEvent[]): TrustEvent[] {
  const seen = new Set(first.map((item) => item.id))
  const rest = older.filter((item) => !seen.has(item.id))
  return [...first, ...rest].sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
}
