/**
 * Undo and redo between named marks. A history is a value: it can be kept as JSON, so undo works across reloads, and
 * shown as a list that people can read.
 */
import { type Edit, applyEdits, invertAll, readEdit } from './edits'
import type { Item, Scene } from './scene'

/** One thing a person did, e.g. "move". */
export interface Mark<T> {
  readonly name: string
  readonly edits: readonly Edit<T>[]
  /** Milliseconds since 1970. */
  readonly at_ms: number
  /** Marks in a row that have the same join key become one (nudges; draw, then name). */
  readonly join?: string
}

export interface History<T> {
  readonly done: readonly Mark<T>[]
  /** Last undone first in line for redo: at the end. */
  readonly undone: readonly Mark<T>[]
}

/** One entry of a draft's `edits`. */
export type StoredMark<T> = Mark<T> & { readonly undone?: true }

export const MAX_MARKS = 2_000
/** Marks further apart than this are never joined. */
export const JOIN_MS = 1_500

export const emptyHistory = <T>(): History<T> => ({ done: [], undone: [] })

export function record<T>(history: History<T>, mark: Mark<T>, joinWithin_ms = JOIN_MS): History<T> {
  if (mark.edits.length === 0) return history
  const last = history.done.at(-1)
  const joins =
    last !== undefined &&
    mark.join !== undefined &&
    last.join === mark.join &&
    history.undone.length === 0 &&
    mark.at_ms - last.at_ms <= joinWithin_ms
  const done = joins
    ? [...history.done.slice(0, -1), { ...last, edits: merged(last.edits, mark.edits), at_ms: mark.at_ms }]
    : [...history.done, mark]
  return { done: done.length > MAX_MARKS ? done.slice(-MAX_MARKS) : done, undone: [] }
}

/** A hundred nudges of one shape are kept as one patch; a shape that is drawn, then named, as one addition. */
function merged<T>(first: readonly Edit<T>[], then: readonly Edit<T>[]): Edit<T>[] {
  const all = [...first]
  for (const edit of then) {
    const at = edit.op === 'patch' ? all.findLastIndex((old) => idOf(old) === edit.id) : -1
    const old = all[at]
    if (edit.op === 'patch' && old?.op === 'add') all[at] = { ...old, item: patched(old.item, edit) }
    else if (edit.op === 'patch' && old?.op === 'patch' && sameKeys(old, edit)) all[at] = { ...old, after: edit.after }
    else all.push(edit)
  }
  return all
}

const idOf = (edit: Edit<unknown>): unknown => (edit.op === 'patch' ? edit.id : 'item' in edit ? (edit.item as Item).id : null)

type Patch = Extract<Edit<unknown>, { op: 'patch' }>

const keysOf = (fields: object): string => Object.keys(fields).sort().join()
const sameKeys = (a: Patch, b: Patch): boolean =>
  keysOf(a.after) === keysOf(b.after) && keysOf(a.before) === keysOf(b.before)

function patched<T>(item: T, patch: Patch): T {
  const next: Record<string, unknown> = { ...item, ...patch.after }
  for (const key of Object.keys(patch.before)) if (!(key in patch.after)) delete next[key]
  return next as T
}

/** What to apply to go back (or forth), and the history after that; null when there is nothing. */
export interface Turn<T> {
  readonly history: History<T>
  readonly edits: readonly Edit<T>[]
  readonly mark: Mark<T>
}

export function undo<T>(history: History<T>): Turn<T> | null {
  const mark = history.done.at(-1)
  if (!mark) return null
  return {
    history: { done: history.done.slice(0, -1), undone: [...history.undone, mark] },
    edits: invertAll(mark.edits),
    mark,
  }
}

export function redo<T>(history: History<T>): Turn<T> | null {
  const mark = history.undone.at(-1)
  if (!mark) return null
  return {
    history: { done: [...history.done, mark], undone: history.undone.slice(0, -1) },
    edits: mark.edits,
    mark,
  }
}

/** In the order in which things were done; what has been undone comes last and says so. */
export function store<T>(history: History<T>): StoredMark<T>[] {
  const undone = [...history.undone].reverse().map((mark) => ({ ...mark, undone: true as const }))
  return [...history.done, ...undone]
}

/** The inverse of `store`. Gives null when the value is not a stored history: better no undo than a wrong one. */
export function restore<T extends Item>(value: unknown, isItem: (item: unknown) => item is T): History<T> | null {
  if (!Array.isArray(value)) return null
  const done: Mark<T>[] = []
  const undone: Mark<T>[] = []
  for (const entry of value as unknown[]) {
    if (typeof entry !== 'object' || entry === null) return null
    const { name, edits, at_ms, join, undone: back } = entry as Record<string, unknown>
    if (typeof name !== 'string' || !Array.isArray(edits) || typeof at_ms !== 'number') return null
    const read: Edit<T>[] = []
    for (const one of edits as unknown[]) {
      const edit = readEdit(one, isItem)
      if (!edit) return null
      read.push(edit)
    }
    const mark: Mark<T> = { name, edits: read, at_ms, ...(typeof join === 'string' ? { join } : {}) }
    if (back === true) undone.unshift(mark)
    else done.push(mark)
  }
  return { done, undone }
}

/** Does this history lead to this scene? Goes all the way back; a draft that fails keeps its shapes and loses its undo. */
export function fits<T extends Item>(history: History<T>, scene: Scene<T>): boolean {
  try {
    let back = scene
    for (let i = history.done.length - 1; i >= 0; i--) {
      back = applyEdits(back, invertAll((history.done[i] as Mark<T>).edits))
    }
    let forth = scene
    for (let i = history.undone.length - 1; i >= 0; i--) {
      forth = applyEdits(forth, (history.undone[i] as Mark<T>).edits)
    }
    return true
  } catch {
    return false
  }
}
