import { useEffect } from 'react'
import { allCommands, isTyping, openPalette, openShortcuts } from './commands'

/** Runs commands by their keys; two keys may follow one another ("G P") within a second. */
export function useKeys(): void {
  useEffect(() => {
    let first = ''
    let at = 0
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        openPalette()
        return
      }
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if ((event.target as Element | null)?.closest?.('[role=dialog],[role=menu]')) return
      if (event.key === '?') {
        event.preventDefault()
        openShortcuts()
        return
      }
      const key = event.key.length === 1 ? event.key.toUpperCase() : event.key
      const pair = performance.now() - at < 1000 ? `${first} ${key}` : ''
      const found = allCommands().find((command) => command.keys !== undefined && (command.keys === pair || command.keys === key))
      first = key
      at = performance.now()
      if (!found) return
      event.preventDefault()
      found.run()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}
