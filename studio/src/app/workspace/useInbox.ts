import { useCallback, useEffect, useState } from 'react'
import type { Storage } from './storage'
import type { InboxItem, Summary } from './types'
import { workApi } from './workApi'

const EVERY_MS = 120_000

/** News for the annotator, asked for now and then, and which of it is new. */
export function useInbox(storage: Storage, done: number) {
  const [items, setItems] = useState<readonly InboxItem[] | null>(null)
  const [summary, setSummary] = useState<Summary | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [seenAt, setSeenAt] = useState('')
  const load = useCallback(() => {
    workApi.inbox().then(setItems, setError)
    workApi.summary().then(setSummary, () => undefined)
  }, [])
  useEffect(() => {
    void storage.note('inbox').then((note) => typeof note === 'string' && setSeenAt(note), () => undefined)
    load()
    const timer = setInterval(() => document.visibilityState === 'visible' && load(), EVERY_MS)
    return () => clearInterval(timer)
  }, [storage, load])
  useEffect(() => {
    if (done > 0 && done % 5 === 0) load()
  }, [done, load])
  const seen = useCallback(() => {
    const newest = items?.reduce((max, item) => (item.at > max ? item.at : max), '') ?? ''
    if (newest) void storage.putNote('inbox', newest).catch(() => undefined)
    return newest
  }, [items, storage])
  const news = items?.filter((item) => item.at > seenAt).length ?? 0
  return { items, summary, error, seenAt, news, load, seen: () => seen(), forget: () => setSeenAt(seen() || seenAt) }
}
