// The list of tasks as the browser knows it: what is on screen is fetched by its place, and asked again with its ETag every
// few seconds, so that what one sees is what is so.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { isAbort, send, toApiError, type ApiError, type Page, type Query } from '../../../ui/api'
import { onRefresh } from '../../../ui/useApi'
import type { TaskRow } from '../types'
import { PAGE, Pages, type Span } from './pages'

const LIVE_MS = 5_000
const TOP: Span = [0, 30]

export type TaskPages = {
  /** How many there are; null: not known yet. */
  total: number | null
  at: (index: number) => TaskRow | undefined
  indexOf: (id: string | null) => number
  loading: boolean
  error: ApiError | null
  /** Rows first..last are on screen. */
  see: (first: number, last: number) => void
  /** The rows first..last, fetched where they are not here. */
  range: (first: number, last: number) => Promise<TaskRow[]>
  reload: () => void
}

async function fetchPage(query: Query, page: number, etag: string | null, signal: AbortSignal): Promise<{ body: Page<TaskRow>; etag: string | null } | null> {
  const place = page === 0 ? {} : { skip: page * PAGE, count: false }
  const response = await send('GET', '/tasks', { query: { ...query, limit: PAGE, ...place }, signal }, etag ? { 'If-None-Match': etag } : {})
  if (response.status === 304) return null
  return { body: (await response.json()) as Page<TaskRow>, etag: response.headers.get('ETag') }
}

export function useTaskPages(query: Query): TaskPages {
  const key = JSON.stringify(query)
  const pages = useRef(new Pages())
  const seen = useRef<Span>(TOP)
  const control = useRef(new AbortController())
  /** The page on its way, and how to give it up. */
  const coming = useRef<{ page: number; control: AbortController } | null>(null)
  const [, setVersion] = useState(0)
  const [loading, setLoading] = useState(true)
  const [error, setError] = useState<ApiError | null>(null)

  const bring = useCallback(
    async (page: number, signal: AbortSignal): Promise<boolean> => {
      const list = pages.current
      const got = await fetchPage(JSON.parse(key) as Query, page, list.get(page)?.etag ?? null, signal)
      if (signal.aborted || list !== pages.current) return false
      setError(null)
      if (!got) return false
      const before = list.total
      if (typeof got.body.total === 'number') list.total = got.body.total
      list.set(page, { items: got.body.items, etag: got.etag }, seen.current)
      setVersion((n) => n + 1)
      return before !== null && before !== list.total
    },
    [key],
  )

  const fill = useCallback(async () => {
    const list = pages.current
    const going = coming.current
    // What is on its way may be for a place that has been left.
    if (going && list.total !== null && !list.within(seen.current).includes(going.page) && list.next(seen.current) !== null) going.control.abort()
    else if (going) return
    const own = new AbortController()
    const stop = () => own.abort()
    control.current.signal.addEventListener('abort', stop)
    try {
      for (let page = list.next(seen.current); page !== null && !own.signal.aborted; page = list.next(seen.current)) {
        coming.current = { page, control: own }
        setLoading(true)
        await bring(page, own.signal)
        if (list !== pages.current) return
      }
    } catch (caught) {
      if (!isAbort(caught)) setError(toApiError(caught))
    } finally {
      control.current.signal.removeEventListener('abort', stop)
      if (coming.current?.control === own) {
        coming.current = null
        setLoading(false)
      }
    }
  }, [bring])

  const reload = useCallback(() => {
    control.current.abort()
    control.current = new AbortController()
    coming.current = null
    pages.current = new Pages()
    void fill()
  }, [fill])

  useEffect(() => {
    seen.current = TOP
    setVersion((n) => n + 1)
    reload()
    return () => control.current.abort()
  }, [reload])

  useEffect(() => {
    const freshen = async () => {
      if (document.visibilityState !== 'visible' || coming.current) return
      const { signal } = control.current
      const list = pages.current
      try {
        // The first page counts: when there are more or fewer, all that is out of sight may have moved.
        const shown = list.within(seen.current).filter((page) => page !== 0 && list.get(page))
        if (list.get(0) && (await bring(0, signal))) list.keepOnly([0, ...shown])
        for (const page of shown) await bring(page, signal)
        void fill()
      } catch (caught) {
        if (!isAbort(caught)) setError(toApiError(caught))
      }
    }
    const timer = setInterval(() => void freshen(), LIVE_MS)
    const stop = onRefresh(() => void freshen())
    return () => {
      clearInterval(timer)
      stop()
    }
  }, [bring, fill])

  const see = useCallback(
    (first: number, last: number) => {
      seen.current = [first, last]
      void fill()
    },
    [fill],
  )
  const range = useCallback(
    async (first: number, last: number): Promise<TaskRow[]> => {
      const { signal } = control.current
      const rows: TaskRow[] = []
      for (const page of pages.current.within([first, last])) {
        if (!pages.current.get(page)) await bring(page, signal)
        rows.push(...(pages.current.get(page)?.items ?? []).filter((_, at) => page * PAGE + at >= first && page * PAGE + at <= last))
      }
      return rows
    },
    [bring],
  )
  const at = useCallback((index: number) => pages.current.at(index), [])
  const indexOf = useCallback((id: string | null) => pages.current.indexOf(id), [])
  const { total } = pages.current
  return useMemo(() => ({ total, at, indexOf, loading, error, see, range, reload }), [total, at, indexOf, loading, error, see, range, reload])
}
