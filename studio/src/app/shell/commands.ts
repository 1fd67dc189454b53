// Commands that pages offer to the palette while they are on screen, and keys that go with them.
import { useEffect, useSyncExternalStore } from 'react'
import type { IconName } from '../../ui/Icon'

export type Command = {
  id: string
  label: string
  group: string
  icon?: IconName | undefined
  /** "N", or "G P" for one after the other. */
  keys?: string | undefined
  /** More words to find it by. */
  words?: string | undefined
  run: () => void
}

const sources = new Map<symbol, readonly Command[]>()
let commands: readonly Command[] = []
const listeners = new Set<() => void>()

function publish(): void {
  const seen = new Map<string, Command>()
  for (const list of sources.values()) for (const command of list) seen.set(command.id, command)
  commands = [...seen.values()]
  for (const listener of listeners) listener()
}

/** Offers `list` while the component is mounted. Keep the list stable (useMemo). */
export function useCommands(list: readonly Command[]): void {
  useEffect(() => {
    const source = Symbol('commands')
    sources.set(source, list)
    publish()
    return () => {
      sources.delete(source)
      publish()
    }
  }, [list])
}

export function allCommands(): readonly Command[] {
  return commands
}

export function useAllCommands(): readonly Command[] {
  return useSyncExternalStore(subscribe, allCommands)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

type Open = 'palette' | 'shortcuts' | null
let open: Open = null

function show(next: Open): void {
  open = next
  for (const listener of listeners) listener()
}
export const openPalette = (): void => show('palette')
export const openShortcuts = (): void => show('shortcuts')
export const closeOverlay = (): void => show(null)
export function useOverlay(): Open {
  return useSyncExternalStore(subscribe, () => open)
}

/** Typing in a field must never set off a command. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

/** How well `text` answers `typed`: higher is better, 0 is not at all. Whole words first, then letters in order. */
export function score(typed: string, text: string): number {
  const want = typed.trim().toLowerCase()
  const have = text.toLowerCase()
  if (!want) return 1
  const at = have.indexOf(want)
  if (at === 0) return 100
  if (at > 0) return /\W/.test(have[at - 1] ?? '') ? 80 : 50
  const words = want.split(/\s+/)
  if (words.length > 1 && words.every((word) => have.includes(word))) return 40
  let from = 0
  for (const letter of want) {
    from = have.indexOf(letter, from) + 1
    if (from === 0) return 0
  }
  return Math.max(1, 20 - (have.length - want.length) / 4)
}
