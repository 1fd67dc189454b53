/** Keys to commands. One table of what is offered, for help panels, and one function that does it. */
import { classesFor } from '../../kinds/list'
import type { Mods } from '../../kernel/tool'
import type { Vec } from '../../kernel/vec'
import type { Board } from './board'
import { type Clipboard, classify, copy, duplicate, nudge, nudgeVertex, paste, remove, selectAll, selectNext } from './commands'
import { TOOL_KEYS, TOOL_NAMES, kindDrawn } from './tools/list'

export interface KeyHost {
  readonly board: Board
  readonly clipboard: Clipboard
  /** The keyboard cursor is in use. */
  cursorInUse(): boolean
  /** By media pixels. */
  moveCursor(dx: number, dy: number): void
  /** Press and let go where the keyboard cursor is. */
  placeAtCursor(mods: Mods): void
  fit(): void
  zoomBy(factor: number): void
  zoomTo(what: 'actual' | 'selection'): void
  reveal(): void
  chooseClass(): void
  holdSpace(): void
}

export interface KeyPress {
  readonly key: string
  readonly mods: Mods
  readonly repeat: boolean
}

const ARROWS: Readonly<Record<string, Vec>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

/** True when the key was used. */
export function pressKey(press: KeyPress, host: KeyHost): boolean {
  const { board } = host
  const { key, mods } = press
  if (key === 'Escape') return board.escape()
  if (mods.ctrl) return withControl(press, host)
  if (board.send({ type: 'key', key, mods })) return true
  const arrow = ARROWS[key]
  if (arrow) return pressArrow(arrow, mods, host)
  return simple(press, host)
}

function withControl({ key, mods }: KeyPress, host: KeyHost): boolean {
  const { board } = host
  switch (key.toLowerCase()) {
    case 'z':
      return mods.shift ? board.redo() : board.undo()
    case 'y':
      return board.redo()
    case 'a':
      selectAll(board)
      return true
    case 'c':
      return copy(board, host.clipboard)
    case 'x': {
      const took = copy(board, host.clipboard)
      if (took) remove(board)
      return took
    }
    case 'v':
      return paste(board, host.clipboard)
    case 'd':
      duplicate(board)
      return true
    default:
      return false
  }
}

function pressArrow(arrow: Vec, mods: Mods, host: KeyHost): boolean {
  const { board } = host
  const step = mods.shift ? 10 : 1
  const drawing = kindDrawn(board.tool) !== null
  if (!drawing && board.selection.size > 0 && !board.readOnly) {
    if (board.vertex !== null) nudgeVertex(board, board.vertex, arrow.x * step, arrow.y * step)
    else nudge(board, arrow.x * step, arrow.y * step)
    return true
  }
  host.moveCursor(arrow.x * step, arrow.y * step)
  return true
}

function simple({ key, mods, repeat }: KeyPress, host: KeyHost): boolean {
  const { board } = host
  switch (key) {
    case 'Delete':
    case 'Backspace':
      if (board.selection.size === 0) return false
      remove(board)
      return true
    case ' ':
      if (host.cursorInUse()) {
        if (!repeat) host.placeAtCursor(mods)
      } else host.holdSpace()
      return true
    case 'Enter':
      if (host.cursorInUse() && board.selection.size === 0) host.placeAtCursor(mods)
      else if (board.selection.size > 0) host.chooseClass()
      else return false
      return true
    case '.':
    case ',':
      selectNext(board, key === '.' ? 1 : -1)
      host.reveal()
      return true
    case '+':
    case '=':
      host.zoomBy(1.25)
      return true
    case '-':
      host.zoomBy(0.8)
      return true
    case '0':
      host.fit()
      return true
    default:
      return letter(key, mods, host)
  }
}

function letter(key: string, mods: Mods, host: KeyHost): boolean {
  const { board } = host
  if (mods.alt) return false
  const low = key.toLowerCase()
  const tool = TOOL_NAMES.find((name) => TOOL_KEYS[name] === low)
  if (tool && !mods.shift) {
    board.setTool(tool)
    return true
  }
  if (low === 'r' && board.selection.size === 1) {
    board.setTurning(!board.turning)
    return true
  }
  if (low === 'z' && !mods.shift) {
    host.zoomTo(board.selection.size > 0 ? 'selection' : 'actual')
    return true
  }
  const name = classByKey(board, key)
  if (name === null) return false
  return takeClass(board, name)
}

/** The class's own hotkey, or 1-9 in the order of the ontology: the number its label shows. */
export function classByKey(board: Board, key: string): string | null {
  const own = board.ontology.classes.find((c) => c.hotkey !== undefined && c.hotkey.toLowerCase() === key.toLowerCase())
  if (own) return own.name
  if (!/^[1-9]$/.test(key)) return null
  return board.ontology.classes[Number(key) - 1]?.name ?? null
}

/** Selected shapes get the class; with nothing selected it is armed for the next. */
function takeClass(board: Board, name: string): boolean {
  const ids = [...board.selection]
  const fits = ids.some((id) => {
    const a = board.scene.find(id)
    return a !== null && classesFor(board.ontology, a.kind).some((c) => c.name === name)
  })
  if (!fits || board.readOnly) {
    board.arm(name)
    return true
  }
  classify(board, ids, name)
  if (board.activeClass !== null) board.setActiveClass(name)
  return true
}
