import { useCallback, useSyncExternalStore } from 'react'
import type { TaskLoop } from './loop'
import type { LoopState } from './loopState'
import type { Desk } from './desk'

export function useLoop(loop: TaskLoop): LoopState {
  return useSyncExternalStore(
    useCallback((listener: () => void) => loop.on(listener), [loop]),
    () => loop.state,
  )
}

/** Renders again after every change on the desk; gives the version. */
export function useDesk(desk: Desk): number {
  return useSyncExternalStore(
    useCallback((listener: () => void) => desk.on(listener), [desk]),
    () => versionOf(desk),
  )
}

const versions = new WeakMap<Desk, { seen: readonly unknown[]; version: number }>()

function versionOf(desk: Desk): number {
  const now = [desk.document, desk.document?.annotations, desk.document?.history, desk.gaps, desk.missing, desk.which, desk.comment]
  const before = versions.get(desk)
  if (before && now.every((value, at) => value === before.seen[at])) return before.version
  const version = (before?.version ?? 0) + 1
  versions.set(desk, { seen: now, version })
  return version
}
