// A list that grows page by page along its cursor.
import { useCallback, useEffect, useRef, useState } from 'react'
import { api, isAbort, toApiError, type ApiError, type Page, type Query } from '../../ui/api'

export function usePages<T>(path: string, query: Query) {
  const [items, setItems] = useState<T[]>([])
  const [next, setNext] = useState<string | null>(null)
  const [loading, setLoading] = useState(true)
  const [error, setError] = useState<ApiError | null>(null)
  const key = JSON.stringify([path, query])
  const control = useRef<AbortController | null>(null)

  const load = useCallback(
    async (cursor: string | null) => {
      control.current?.abort()
      const mine = new AbortController()
      control.current = mine
      setLoading(true)
      setError(null)
      const [from, filter] = JSON.parse(key) as [string, Query]
      try {
        const page = await api.get<Page<T>>(from, { ...filter, cursor }, { signal: mine.signal })
        setItems((old) => (cursor ? [...old, ...page.items] : page.items))
        setNext(page.next ?? null)
      } catch (caught) {
        if (isAbort(caught)) return
        setError(toApiError(caught))
      }
      setLoading(false)
    },
    [key],
  )
  useEffect(() => {
    void load(null)
    return () => control.current?.abort()
  }, [load])
  return { items, loading, error, more: next ? () => void load(next) : null, reload: () => void load(null) }
}
