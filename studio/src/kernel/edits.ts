/**
 * What can be done to a scene, as data: each edit can be applied, turned round and kept as JSON. The list of edits is the
 * autosaved draft, the undo history and the provenance of an answer.
 */
import type { Item, Scene } from './scene'

export type Fields = Readonly<Record<string, unknown>>

export type Edit<T> =
  | { readonly op: 'add'; readonly item: T; readonly at: number }
  | { readonly op: 'remove'; readonly item: T; readonly at: number }
  | { readonly op: 'replace'; readonly before: T; readonly after: T }
  /** Some keys only. A key in `before` but not in `after` is taken away, and the other way round. */
  | { readonly op: 'patch'; readonly id: string; readonly before: Fields; readonly after: Fields }

export function invert<T>(edit: Edit<T>): Edit<T> {
  switch (edit.op) {
    case 'add':
      return { op: 'remove', item: edit.item, at: edit.at }
    case 'remove':
      return { op: 'add', item: edit.item, at: edit.at }
    case 'replace':
      return { op: 'replace', before: edit.after, after: edit.before }
    case 'patch':
      return { op: 'patch', id: edit.id, before: edit.after, after: edit.before }
  }
}

export const invertAll = <T>(edits: readonly Edit<T>[]): Edit<T>[] => edits.map((edit) => invert(edit)).reverse()

/** The id an edit is about. */
export function subject<T extends Item>(edit: Edit<T>): string {
  switch (edit.op) {
    case 'add':
    case 'remove':
      return edit.item.id
    case 'replace':
      return edit.after.id
    case 'patch':
      return edit.id
  }
}

/** All or nothing: an edit that does not fit the scene throws and the scene stays what it was. */
export function applyEdits<T extends Item>(scene: Scene<T>, edits: readonly Edit<T>[]): Scene<T> {
  if (edits.length === 0) return scene
  const changes = new Map<string, T | undefined>()
  let order: string[] | null = null
  const now = (id: string): T | undefined => (changes.has(id) ? changes.get(id) : (scene.find(id) ?? undefined))
  const known = (id: string): T => {
    const item = now(id)
    if (item === undefined) throw new Error(`edits: no item ${id}`)
    return item
  }
  for (const edit of edits) {
    const id = subject(edit)
    switch (edit.op) {
      case 'add':
        if (now(id) !== undefined) throw new Error(`edits: item ${id} exists`)
        order ??= [...scene.order]
        order.splice(Math.min(edit.at, order.length), 0, id)
        changes.set(id, edit.item)
        break
      case 'remove': {
        known(id)
        order ??= [...scene.order]
        const at = order[edit.at] === id ? edit.at : order.indexOf(id)
        order.splice(at, 1)
        changes.set(id, undefined)
        break
      }
      case 'replace':
        if (edit.before.id !== id) throw new Error('edits: replace keeps the id')
        known(id)
        changes.set(id, edit.after)
        break
      case 'patch':
        changes.set(id, patched(known(id), edit.before, edit.after))
        break
    }
  }
  return scene.with(changes, order ?? scene.order)
}

function patched<T extends Item>(item: T, before: Fields, after: Fields): T {
  const next: Record<string, unknown> = { ...item, ...after }
  for (const key of Object.keys(before)) if (!(key in after)) delete next[key]
  if (next['id'] !== item.id) throw new Error('edits: patch keeps the id')
  return next as unknown as T
}

// ---- how edits are made ----

export const addEdit = <T extends Item>(scene: Scene<T>, item: T): Edit<T> => ({ op: 'add', item, at: scene.size })

export const addEdits = <T extends Item>(scene: Scene<T>, items: readonly T[]): Edit<T>[] =>
  items.map((item, i) => ({ op: 'add', item, at: scene.size + i }))

/** Front to back, so that every position holds when its turn comes. */
export function removeEdits<T extends Item>(scene: Scene<T>, ids: Iterable<string>): Edit<T>[] {
  const known = [...new Set(ids)].filter((id) => scene.has(id))
  known.sort((a, b) => scene.rank(b) - scene.rank(a))
  return known.map((id) => ({ op: 'remove', item: scene.get(id), at: scene.rank(id) }))
}

/** The smallest patch that makes `after` of `before`; null when nothing differs. `undefined` takes a key away. */
export function patchEdit<T extends Item>(item: T, next: Fields): Edit<T> | null {
  const current = item as unknown as Fields
  const before: Record<string, unknown> = {}
  const after: Record<string, unknown> = {}
  let differs = false
  for (const [key, value] of Object.entries(next)) {
    if (same(current[key], value)) continue
    differs = true
    if (current[key] !== undefined) before[key] = current[key]
    if (value !== undefined) after[key] = value
  }
  return differs ? { op: 'patch', id: item.id, before, after } : null
}

/** A patch when only some keys differ, from whole to whole. */
export function changeEdit<T extends Item>(before: T, after: T): Edit<T> | null {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const next = after as unknown as Fields
  return patchEdit(before, Object.fromEntries([...keys].map((key) => [key, next[key]])))
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = a as Fields
  const right = b as Fields
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => key in right && same(left[key], right[key]))
}

// ---- how edits come back from a draft ----

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `isItem` decides about whole items; null when the value is not an edit. */
export function readEdit<T extends Item>(value: unknown, isItem: (item: unknown) => item is T): Edit<T> | null {
  if (!isFields(value)) return null
  const { op, item, at, before, after, id } = value
  if (op === 'add' || op === 'remove') {
    return isItem(item) && Number.isInteger(at) && (at as number) >= 0 ? { op, item, at: at as number } : null
  }
  if (op === 'replace') {
    return isItem(before) && isItem(after) && before.id === after.id ? { op, before, after } : null
  }
  if (op === 'patch') {
    return typeof id === 'string' && isFields(before) && isFields(after) ? { op, id, before, after } : null
  }
  return null
}
