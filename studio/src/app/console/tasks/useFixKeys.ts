import { useEffect, useRef } from 'react'
import { isTyping } from '../../shell/commands'
import type { Desk } from '../../workspace/desk'

interface Keys {
  readonly desk: Desk
  readonly save: () => void
  readonly compare: () => void
  readonly enabled: boolean
}

/** Keys of the page; the surfaces have their own. */
export function useFixKeys(keys: Keys): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || !latest.current.enabled || !act(event, latest.current)) return
      event.preventDefault()
      event.stopPropagation()
    }
    window.addEventListener('keydown', press, true)
    return () => window.removeEventListener('keydown', press, true)
  }, [])
}

function act(event: KeyboardEvent, { desk, save, compare }: Keys): boolean {
  const key = event.key.toLowerCase()
  const command = (event.ctrlKey || event.metaKey) && !event.altKey
  if (command && key === 'enter' && desk.changed) save()
  else if (isTyping(event.target)) return false
  else if (!command && !event.altKey && !event.shiftKey && key === 'c') compare()
  // The picture undoes by itself, point by point while one is being drawn.
  else if (!command || desk.held.assignment.data.medium === 'image') return false
  else if (key === 'z') void (event.shiftKey ? desk.document?.redo() : desk.document?.undo())
  else if (key === 'y') void desk.document?.redo()
  else return false
  return true
}
