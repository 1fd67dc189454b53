/** What keys, panels and menus ask of a board. Each is one entry of the history. */
import { angleOf, withAngle } from '../../kinds/box'
import { attributesAs, attributesFor, isSpatial, kindOf } from '../../kinds/list'
import { type Edit, addEdits, changeEdit, patchEdit, removeEdits } from '../../kernel/edits'
import { type Size, unionAll } from '../../kernel/vec'
import type { Annotation, AttributeValue, Attributes, SpatialAnnotation } from '../../model/types'
import type { Board } from './board'
import { keepInside, moveEdits } from './tools/select'

/** Filled by copy, read by paste. Whoever mounts surfaces decides how far it reaches: never across projects. */
export interface Clipboard {
  shapes: readonly SpatialAnnotation[]
  /** How often these were pasted: each copy steps a little further. */
  pasted: number
}

export const emptyClipboard = (): Clipboard => ({ shapes: [], pasted: 0 })

const present = <T>(value: T | null): value is T => value !== null

export function remove(board: Board, ids: Iterable<string> = board.selection): void {
  const wanted = [...ids]
  const edits = removeEdits(board.scene, wanted)
  const rank = Math.min(...wanted.map((id) => board.scene.rank(id)))
  board.perform(edits, 'delete')
  // deleting one after another from the keyboard: the next in line is selected
  const next = wanted.length === 1 ? board.scene.order[Math.min(rank, board.scene.size - 1)] : undefined
  if (next !== undefined && edits.length > 0 && board.readOnly === false) board.select([next])
}

export function classify(board: Board, ids: readonly string[], name: string): void {
  const own = board.ontology.classes.find((c) => c.name === name)
  if (!own) return
  const edits = ids
    .map((id) => board.scene.find(id))
    .filter(present)
    .map((a) => ('class' in a && own.kinds.includes(a.kind) ? patchEdit<Annotation>(a, { class: name, ...fitting(board, a, name) }) : null))
    .filter(present)
  const join = board.joinFor(ids)
  board.used(name)
  board.perform(edits, 'class', join)
}

/** Attributes that the new class does not have go; undo brings them back. */
function fitting(board: Board, a: Annotation, name: string): { attributes?: Attributes | undefined } {
  const attributes = 'attributes' in a ? a.attributes : undefined
  if (!attributes) return {}
  const kept = attributesAs(board.ontology, name, attributes)
  return kept === attributes ? {} : { attributes: kept }
}

/** `undefined` takes the attribute away. */
export function setAttribute(board: Board, ids: readonly string[], name: string, value: AttributeValue | undefined): void {
  const edits: Edit<Annotation>[] = []
  for (const id of ids) {
    const a = board.scene.find(id)
    if (!a || !('class' in a)) continue
    if (!attributesFor(board.ontology, a.class, a.attributes).some((one) => one.name === name)) continue
    const { [name]: _, ...rest } = a.attributes ?? {}
    const next: Attributes = value === undefined ? rest : { ...a.attributes, [name]: value }
    const edit = patchEdit<Annotation>(a, { attributes: Object.keys(next).length === 0 ? undefined : next })
    if (edit) edits.push(edit)
  }
  board.perform(edits, 'attribute', `attribute:${name}:${ids.join()}`)
}

export function nudge(board: Board, dx: number, dy: number): void {
  const shapes = board.selectedShapes()
  const box = unionAll(shapes.map((a) => kindOf(a).bounds(a)))
  if (!box) return
  const by = keepInside(box, dx, dy, board.context)
  board.perform(moveEdits(board.context, board.selection, by.x, by.y), 'nudge', `nudge:${[...board.selection].join()}`)
}

/** One vertex by arrow key, when one is chosen. */
export function nudgeVertex(board: Board, index: number, dx: number, dy: number): void {
  const a = board.selectedShapes()[0]
  if (!a || !('points' in a)) return
  const at = a.points[index]
  if (!at) return
  const kind = kindOf<SpatialAnnotation>(a)
  const moved = kind.tidy(kind.drag(a, `v${index}`, { x: at[0] + dx, y: at[1] + dy }, { keep: false }))
  const edit = changeEdit<Annotation>(a, moved)
  board.perform(edit ? [edit] : [], 'vertex', `vertex:${a.id}:${index}`)
  board.vertex = index
}

/** Width, height, angle by number. Sizes of 0 and less are not taken. */
export function setSize(board: Board, ids: readonly string[], size: Partial<Size>): boolean {
  if ([size.w, size.h].some((n) => n !== undefined && !(n > 0 && n <= 1e7))) return false
  return change(board, ids, 'size', (a) => kindOf(a).setSize(a, size))
}

export function setAngle(board: Board, ids: readonly string[], angle_rad: number): boolean {
  if (!Number.isFinite(angle_rad)) return false
  return change(board, ids, 'rotate', (a) => (a.kind === 'box' && angleOf(a) !== angle_rad ? withAngle(a, angle_rad) : a))
}

function change(board: Board, ids: readonly string[], mark: 'size' | 'rotate', to: (a: SpatialAnnotation) => SpatialAnnotation): boolean {
  const edits = ids
    .map((id) => board.scene.find(id))
    .filter(present)
    .map((a) => {
      if (!isSpatial(a)) return null
      const next = to(a)
      return changeEdit<Annotation>(a, kindOf(next).tidy(next))
    })
    .filter(present)
  board.perform(edits, mark)
  return edits.length > 0
}

// ---- copies ----

function copies(board: Board, shapes: readonly SpatialAnnotation[], step: number): SpatialAnnotation[] {
  const box = unionAll(shapes.map((a) => kindOf(a).bounds(a)))
  if (!box) return []
  const by = keepInside(box, step, step, board.context)
  return shapes.map((a) => {
    const kind = kindOf(a)
    return { ...kind.tidy(kind.move(a, by.x, by.y)), id: board.newId() }
  })
}

export function duplicate(board: Board): void {
  place(board, copies(board, inOrder(board), 12 / board.zoom), 'duplicate')
}

export function copy(board: Board, clipboard: Clipboard): boolean {
  const shapes = inOrder(board)
  if (shapes.length === 0) return false
  clipboard.shapes = shapes
  clipboard.pasted = 0
  return true
}

export function paste(board: Board, clipboard: Clipboard): boolean {
  if (clipboard.shapes.length === 0) return false
  const here = clipboard.shapes.some((a) => board.scene.has(a.id))
  if (here) clipboard.pasted += 1
  place(board, copies(board, clipboard.shapes, here ? (clipboard.pasted * 12) / board.zoom : 0), 'paste')
  return true
}

function place(board: Board, shapes: readonly SpatialAnnotation[], mark: 'paste' | 'duplicate'): void {
  if (shapes.length === 0 || board.readOnly) return
  board.perform(addEdits<Annotation>(board.scene, shapes), mark)
  board.select(shapes.map((a) => a.id))
}

const inOrder = (board: Board): SpatialAnnotation[] =>
  board.selectedShapes().sort((a, b) => board.scene.rank(a.id) - board.scene.rank(b.id))

// ---- choosing ----

export function selectAll(board: Board): void {
  board.select(board.scene.items().filter((a) => isSpatial(a) && board.visible(a)).map((a) => a.id))
}

/** To the next (1) or previous (-1) shape in order; round the ends. */
export function selectNext(board: Board, by: 1 | -1): void {
  const shapes = board.scene.items().filter((a) => isSpatial(a) && board.visible(a))
  if (shapes.length === 0) return
  const last = [...board.selection].at(-1)
  const at = last === undefined ? -1 : shapes.findIndex((a) => a.id === last)
  const next = at === -1 ? (by === 1 ? 0 : shapes.length - 1) : (at + by + shapes.length) % shapes.length
  board.select([(shapes[next] as Annotation).id])
}
