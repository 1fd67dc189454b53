// A list of any length over a cursor: pages are kept in order, loaded ahead of the eye, and those on screen are asked
// again with their ETag, so that what one sees is what is so.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { isAbort, send, toApiError, type ApiError, type Page, type Query } from '../../../ui/api'
import { onRefresh } from '../../../ui/useApi'
import type { TaskRow } from '../types'

export const PAGE = 200
const AHEAD = 400
const LIVE_MS = 5_000

type Slot = { cursor: string | null; items: TaskRow[]; next: string | null; etag: string | null }

export type TaskPages = {
  rows: readonly TaskRow[]
  total: number | null
  /** Nothing more to load. */
  complete: boolean
  loading: boolean
  error: ApiError | null
  /** Rows first..last are on screen. */
  see: (first: number, last: number) => void
  reload: () => void
}

async function fetchPage(query: Query, cursor: string | null, etag: string | null, signal: AbortSignal): Promise<{ page: Page<TaskRow>; etag: string | null } | null> {
  const response = await send('GET', '/tasks', { query: { ...query, limit: PAGE, cursor, count: cursor === null ? undefined : false }, signal }, etag ? { 'If-None-Match': etag } : {})
  if (response.status === 304) return null
  return { page: (await response.json()) as Page<TaskRow>, etag: response.headers.get('ETag') }
}

export function useTaskPages(query: Query): TaskPages {
  const key = JSON.stringify(query)
  const slots = useRef<Slot[]>([])
  const seen = useRef<[number, number]>([0, 30])
  const busy = useRef(false)
  const control = useRef(new AbortController())
  const [version, setVersion] = useState(0)
  const [total, setTotal] = useState<number | null>(null)
  const [loading, setLoading] = useState(true)
  const [error, setError] = useState<ApiError | null>(null)

  const fill = useCallback(async () => {
    if (busy.current) return
    busy.current = true
    const { signal } = control.current
    try {
      for (;;) {
        const list = slots.current
        const last = list.at(-1)
        const loaded = list.reduce((sum, slot) => sum + slot.items.length, 0)
        if (last && (!last.next || loaded > seen.current[1] + AHEAD)) break
        setLoading(true)
        const cursor = last?.next ?? null
        const got = await fetchPage(JSON.parse(key) as Query, cursor, null, signal)
        if (!got || signal.aborted) break
        list.push({ cursor, items: got.page.items, next: got.page.next, etag: got.etag })
        if (typeof got.page.total === 'number') setTotal(got.page.total)
        setError(null)
        setVersion((n) => n + 1)
      }
    } catch (caught) {
      if (!isAbort(caught)) setError(toApiError(caught))
    } finally {
      if (!signal.aborted) {
        busy.current = false
        setLoading(false)
      }
    }
  }, [key])

  const reload = useCallback(() => {
    control.current.abort()
    control.current = new AbortController()
    slots.current = []
    busy.current = false
    void fill()
  }, [fill])

  useEffect(() => {
    seen.current = [0, 30]
    setTotal(null)
    setVersion((n) => n + 1)
    reload()
    const abort = () => control.current.abort()
    return abort
  }, [reload])

  useEffect(() => {
    const freshen = async () => {
      if (document.visibilityState !== 'visible' || busy.current) return
      const { signal } = control.current
      let start = 0
      try {
        for (const [at, slot] of slots.current.entries()) {
          const end = start + slot.items.length
          const visible = start <= seen.current[1] && end >= seen.current[0]
          start = end
          if (!visible && at > 0) continue
          const got = await fetchPage(JSON.parse(key) as Query, slot.cursor, slot.etag, signal)
          if (!got || signal.aborted) continue
          slot.items = got.page.items
          slot.etag = got.etag
          // The page ends elsewhere now: what followed would leave a gap or repeat rows.
          if (got.page.next !== slot.next) slots.current.length = at + 1
          slot.next = got.page.next
          if (typeof got.page.total === 'number') setTotal(got.page.total)
          setVersion((n) => n + 1)
        }
        setError(null)
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
  }, [key, fill])

  const see = useCallback(
    (first: number, last: number) => {
      seen.current = [first, last]
      void fill()
    },
    [fill],
  )
  // `version` stands for the contents of the ref.
  const rows = useMemo(() => slots.current.flatMap((slot) => slot.items), [version])
  const complete = slots.current.length > 0 && !slots.current.at(-1)?.next
  return { rows, total, complete, loading, error, see, reload }
}
