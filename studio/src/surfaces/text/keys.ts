/** Keys of the text surface. */
import type { KeyboardEvent as ReactKeyboardEvent } from 'react'
import type { TextController } from './controller'
import { chunkAt } from './layout'
import { caretRect, unitsFromPoint } from './place'
import { readsLeft, type Direction } from './words'

const mac = typeof navigator !== 'undefined' && /Mac|iP(hone|ad)/.test(navigator.userAgent)

export function textKeys(controller: TextController, event: ReactKeyboardEvent, root: Element | null): void {
  if (event.defaultPrevented || event.nativeEvent.isComposing) return
  const handled = arrows(controller, event, root) || commands(controller, event)
  if (!handled) return
  event.preventDefault()
  event.stopPropagation()
}

function arrows(controller: TextController, event: ReactKeyboardEvent, root: Element | null): boolean {
  const { key, shiftKey, altKey } = event
  const word = mac ? event.altKey : event.ctrlKey
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const direction = along(controller, key)
    if (!mac && altKey) controller.stepEnd(shiftKey ? 'start' : 'end', direction, event.ctrlKey ? 'word' : 'character')
    else if (mac && altKey && event.ctrlKey) controller.stepEnd(shiftKey ? 'start' : 'end', direction, 'character')
    else controller.move(direction, word ? 'word' : 'character', shiftKey)
    return true
  }
  if (event.altKey || event.ctrlKey || event.metaKey) return false
  const caret = controller.state.caret
  if ((key === 'ArrowUp' || key === 'ArrowDown') && root && caret) {
    const point = vertically(controller, root, caret.focus, key === 'ArrowUp' ? -1 : 1)
    if (point !== null) controller.place(point, shiftKey)
    return true
  }
  if ((key === 'Home' || key === 'End') && caret) {
    const row = controller.rows[chunkAt(controller.rows, caret.focus)]
    if (row) controller.place(key === 'Home' ? row.start : row.end, shiftKey)
    return true
  }
  return false
}

/** An arrow points on the screen; in a row that reads to the left the next character lies on the left. */
function along(controller: TextController, key: 'ArrowLeft' | 'ArrowRight'): Direction {
  const point = controller.state.caret?.focus ?? 0
  const left = readsLeft(controller.rows[chunkAt(controller.rows, point)]?.text ?? '')
  return (key === 'ArrowRight') !== left ? 1 : -1
}

function vertically(controller: TextController, root: Element, point: number, direction: Direction): number | null {
  const rect = caretRect(root, controller.index.toUnits(point), chunkAt(controller.chunks, point))
  if (!rect) return null
  // Rows differ in height (labels below the text), so feel forward until the offset changes line.
  for (let reach = rect.height * 0.75; reach < rect.height * 4; reach += rect.height / 2) {
    const y = direction > 0 ? rect.bottom + reach - rect.height / 2 : rect.top - reach + rect.height / 2
    const units = unitsFromPoint(root, rect.left, y)
    if (units === null) continue
    const found = controller.index.toPoints(units)
    if (direction > 0 ? found > point : found < point) return found
  }
  return null
}

function commands(controller: TextController, event: ReactKeyboardEvent): boolean {
  const { key } = event
  if (key === 'Escape') return controller.escape()
  if (event.ctrlKey || event.metaKey || event.altKey) return false
  switch (key) {
    case 'Enter':
      if (event.shiftKey) controller.labelOthers()
      else if (controller.selection()) controller.finish()
      else if (controller.state.caret) controller.chooseAt(controller.state.caret.focus)
      else return false
      return true
    case 'Delete':
    case 'Backspace':
      controller.removeChosen()
      return true
    case ',':
    case '.':
      controller.step(key === ',' ? -1 : 1)
      return true
  }
  const found = controller.classForKey(key)
  if (!found) return false
  controller.use(found.name)
  return true
}
