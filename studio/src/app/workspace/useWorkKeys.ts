/** Keys of the whole view. The surfaces come first; what they leave is looked at here. */
import { useEffect, useRef } from 'react'
import type { Desk } from './desk'
import type { BarActions } from './TopBar'

interface Keys {
  readonly desk: { readonly current: Desk | null }
  readonly review: boolean
  readonly enabled: boolean
  readonly actions: BarActions
  readonly accept: () => void
  readonly fix: () => void
  readonly reject: () => void
  readonly compare: () => void
  readonly closeDrawer: () => boolean
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(radio|checkbox|range|button)$/.test((target as HTMLInputElement).type)))
}

export function useWorkKeys(keys: Keys): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const early = (event: KeyboardEvent): void => {
      if (!latest.current.enabled || inDialog(event)) return
      if (sheet(event, latest.current) || control(event, latest.current) || verdict(event, latest.current)) {
        event.preventDefault()
        event.stopPropagation()
      }
    }
    const late = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || !latest.current.enabled || inDialog(event)) return
      if (plain(event, latest.current)) event.preventDefault()
    }
    window.addEventListener('keydown', early, true)
    window.addEventListener('keydown', late)
    return () => {
      window.removeEventListener('keydown', early, true)
      window.removeEventListener('keydown', late)
    }
  }, [])
}

function inDialog(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest('[role=dialog],[role=menu],[role=alertdialog]') !== null
}

/** Before the studio's own list of keys, which knows nothing of the task. */
function sheet(event: KeyboardEvent, { actions }: Keys): boolean {
  if (event.key !== '?' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return false
  actions.keys()
  return true
}

/** Submit works from everywhere, also while typing an answer. */
function control(event: KeyboardEvent, { actions, review, desk }: Keys): boolean {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false
  if (event.key === 'Enter' && !event.shiftKey && !review) {
    actions.submit()
    return true
  }
  const key = event.key.toLowerCase()
  // A text box undoes its own typing; the picture has its own keys while something is being drawn.
  if (isTyping(event.target) || desk.current?.held.assignment.data.medium === 'image') return false
  if (key === 'z') {
    if (event.shiftKey) actions.redo()
    else actions.undo()
    return true
  }
  if (key === 'y' && !event.shiftKey) {
    actions.redo()
    return true
  }
  return false
}

/** In review the verdict comes before classes with the same letter: those can still be chosen by number or picker. */
function verdict(event: KeyboardEvent, { review, desk, accept, fix, reject, compare }: Keys): boolean {
  if (!review || !desk.current || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat || isTyping(event.target)) return false
  const act = { a: accept, f: fix, r: reject, c: compare }[event.key.toLowerCase()]
  if (!act) return false
  if (event.key.toLowerCase() === 'a' && desk.current.changed) return true
  act()
  return true
}

function plain(event: KeyboardEvent, { actions, review, desk, closeDrawer }: Keys): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return false
  switch (event.key) {
    case 'Escape':
      return closeDrawer()
    case 'z':
    case 'Z':
      actions.recall()
      return true
    case 'i':
    case 'I':
      actions.instructions()
      return true
    case '\\':
      actions.panel()
      return true
    case 'Enter': {
      const medium = desk.current?.held.assignment.data.medium
      const pressed = event.target instanceof Element && event.target.closest('a, summary, button:not([role=radio]):not([role=checkbox])')
      if (review || pressed || event.repeat || !(medium === 'conversation' || medium === 'none')) return false
      actions.submit()
      return true
    }
  }
  return false
}
