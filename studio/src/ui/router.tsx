// A small router over the History API. The address bar always names what is shown: pages, tabs, filters and open panels
// are all in the address, so that it can be sent to somebody.
import { useCallback, useMemo, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type Ref } from 'react'

const listeners = new Set<() => void>()
let guard: (() => boolean) | null = null

function changed(): void {
  for (const listener of listeners) listener()
}
if (typeof window !== 'undefined') window.addEventListener('popstate', changed)

/** Asked before leaving through a link; false stays. Returns a function that takes the question away. */
export function guardLeaving(ask: () => boolean): () => void {
  guard = ask
  return () => {
    if (guard === ask) guard = null
  }
}

export function navigate(to: string, options: { replace?: boolean } = {}): void {
  const here = location.pathname + location.search
  if (to === here) return
  const path = to.split(/[?#]/)[0] ?? to
  if (path !== location.pathname && guard && !guard()) return
  if (options.replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  if (path !== here.split('?')[0]) window.scrollTo(0, 0)
  changed()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname)
}

export function useSearch(): string {
  return useSyncExternalStore(subscribe, () => location.search)
}

/** The query of the address and a way to change some of it; empty values leave the address. */
export function useQuery(): [URLSearchParams, (changes: Record<string, string | null>, options?: { replace?: boolean }) => void] {
  const search = useSearch()
  const query = useMemo(() => new URLSearchParams(search), [search])
  const change = useCallback((changes: Record<string, string | null>, options: { replace?: boolean } = {}) => {
    navigate(withQuery(changes), options)
  }, [])
  return [query, change]
}

/** The present address with some of its query changed. */
export function withQuery(changes: Record<string, string | null>): string {
  const next = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name)
    else next.set(name, value)
  }
  const text = next.toString()
  return location.pathname + (text ? `?${text}` : '')
}

/** `/console/projects/:id/:tab?` against a path; null when it does not fit. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/').filter(Boolean)
  const given = path.split('/').filter(Boolean)
  if (given.length > wanted.length) return null
  const found: Record<string, string> = {}
  for (let at = 0; at < wanted.length; at += 1) {
    const want = wanted[at] as string
    const have = given[at]
    if (want.startsWith(':')) {
      const optional = want.endsWith('?')
      if (have === undefined) {
        if (optional) continue
        return null
      }
      found[want.slice(1, optional ? -1 : undefined)] = decodeURIComponent(have)
    } else if (want !== have) return null
  }
  return found
}

export type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string; ref?: Ref<HTMLAnchorElement> | undefined }

export function Link({ to, onClick, ...rest }: LinkProps) {
  const go = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(to)
  }
  return <a href={to} onClick={go} {...rest} />
}
