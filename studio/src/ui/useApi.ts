// Reading from the server in components: one shared copy per address, revalidated with ETag, polled only while somebody
// looks (page visible, online) and while something on the page asks for it.
import { useCallback, useEffect, useSyncExternalStore } from 'react'
import { apiUrl, getOrg, isAbort, send, toApiError, type ApiError, type Query } from './api'

type Entry = {
  data: unknown
  error: ApiError | null
  etag: string | null
  at: number
  loading: boolean
  users: Set<() => void>
  view: { data: unknown; error: ApiError | null; loading: boolean; at: number }
}

const entries = new Map<string, Entry>()
const keep = 60

function entryOf(key: string): Entry {
  let entry = entries.get(key)
  if (!entry) {
    if (entries.size > keep) for (const [old, value] of entries) if (value.users.size === 0) entries.delete(old)
    entry = { data: undefined, error: null, etag: null, at: 0, loading: false, users: new Set(), view: { data: undefined, error: null, loading: true, at: 0 } }
    entries.set(key, entry)
  }
  return entry
}

function publish(entry: Entry): void {
  entry.view = { data: entry.data, error: entry.error, loading: entry.loading, at: entry.at }
  for (const user of entry.users) user()
}

async function load(key: string, path: string, org: string | null): Promise<void> {
  const entry = entryOf(key)
  if (entry.loading) return
  entry.loading = true
  if (entry.data === undefined) publish(entry)
  try {
    const response = await send('GET', path, { org }, entry.etag ? { 'If-None-Match': entry.etag } : {})
    if (response.status !== 304) {
      entry.data = await response.json()
      entry.etag = response.headers.get('ETag')
    }
    entry.error = null
  } catch (error) {
    if (!isAbort(error)) entry.error = toApiError(error)
  }
  entry.at = Date.now()
  entry.loading = false
  publish(entry)
}

export type Loaded<T> = { data: T | undefined; error: ApiError | null; loading: boolean; reload: () => void; at: number }

/** Reads `path` (null: not yet). `poll` is in milliseconds, or says them from what was read. Stale data is shown while new data is on its way. */
export function useApi<T>(path: string | null, options: { query?: Query; poll?: number | ((data: T | undefined) => number); org?: string | null } = {}): Loaded<T> {
  const org = options.org === undefined ? getOrg() : options.org
  const full = path === null ? null : apiUrl(path, options.query).slice('/api/v1'.length)
  const key = full === null ? '' : `${org ?? ''} ${full}`

  const subscribe = useCallback(
    (user: () => void) => {
      if (!key) return () => undefined
      const entry = entryOf(key)
      entry.users.add(user)
      return () => entry.users.delete(user)
    },
    [key],
  )
  const view = useSyncExternalStore(subscribe, () => (key ? entryOf(key).view : nothing))
  const poll = typeof options.poll === 'function' ? options.poll(view.data as T | undefined) : options.poll

  useEffect(() => {
    if (full === null) return
    if (Date.now() - entryOf(key).at > 1000) void load(key, full, org)
    if (!poll) return
    const tick = () => {
      if (document.visibilityState === 'visible' && navigator.onLine && Date.now() - entryOf(key).at >= poll * 0.9) void load(key, full, org)
    }
    const timer = setInterval(tick, poll)
    document.addEventListener('visibilitychange', tick)
    window.addEventListener('online', tick)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', tick)
      window.removeEventListener('online', tick)
    }
  }, [key, full, org, poll])

  const reload = useCallback(() => {
    if (full !== null) void load(key, full, org)
  }, [key, full, org])
  return { data: view.data as T | undefined, error: view.error, loading: view.loading, reload, at: view.at }
}

const nothing: Entry['view'] = { data: undefined, error: null, loading: false, at: 0 }

const watchers = new Set<(prefixes: readonly string[]) => void>()

/** For lists that keep pages of their own: told of every refresh. */
export function onRefresh(watcher: (prefixes: readonly string[]) => void): () => void {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

/** After a write: everything whose path begins so is read again where it is on screen, and forgotten elsewhere. */
export function refresh(...prefixes: string[]): void {
  for (const watcher of watchers) watcher(prefixes)
  for (const [key, entry] of entries) {
    const at = key.indexOf(' ')
    const path = key.slice(at + 1)
    if (!prefixes.some((prefix) => path.startsWith(prefix))) continue
    if (entry.users.size === 0) entries.delete(key)
    else void load(key, path, key.slice(0, at) || null)
  }
}

/** Puts an answer of the server in place without asking again. */
export function put(path: string, data: unknown): void {
  const entry = entryOf(`${getOrg() ?? ''} ${path}`)
  entry.data = data
  entry.error = null
  entry.etag = null
  entry.at = Date.now()
  publish(entry)
}

/** Signing out or changing organisation: nothing of the old one may stay. */
export function forgetAll(): void {
  entries.clear()
}
