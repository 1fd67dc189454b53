/**
 * Select: click (the smallest shape under the pointer wins, clicking again goes on to the next), Shift adds, a drag over
 * nothing (or with Shift) is a marquee, a drag on a shape moves it, handles resize, turn and move vertices.
 */
import { isSpatial, kindOf } from '../../../kinds/list'
import { rotateHandle } from '../../../kinds/box'
import type { Handle } from '../../../kinds/kind'
import { changeEdit, type Edit } from '../../../kernel/edits'
import type { PointerNews, ToolEvent } from '../../../kernel/tool'
import { type Rect, type Vec, add, clamp, distance, encloses, nearestOnPath, rectOf, sub, unionAll } from '../../../kernel/vec'
import type { Annotation, SpatialAnnotation } from '../../../model/types'
import { vertexOf } from '../../../kinds/path'
import { type Guide, type ImageContext, type ImageStep, type ImageTool, SLOP, reach } from './context'
import { snapPoint, snapRect, snapVertex } from './snap'

export type SelectState =
  | { readonly mode: 'idle' }
  | { readonly mode: 'pressed'; readonly at: Vec; readonly hit: string | null; readonly had: boolean; readonly shift: boolean }
  | { readonly mode: 'moving'; readonly at: Vec; readonly ids: ReadonlySet<string>; readonly box: Rect; readonly dx: number; readonly dy: number }
  | { readonly mode: 'marquee'; readonly at: Vec; readonly now: Vec; readonly base: ReadonlySet<string> }
  | {
      readonly mode: 'handle'
      readonly from: SpatialAnnotation
      readonly handle: Handle
      /** From the pointer to the anchor when the drag began. */
      readonly grip: Vec
      readonly now: SpatialAnnotation
      readonly moved: boolean
      readonly start: Vec
    }

const IDLE: SelectState = { mode: 'idle' }
const NONE: ReadonlySet<string> = new Set()

/** Shapes under the pointer: nearest to being meant first, i.e. the smallest. */
export function under(p: Vec, context: ImageContext, near: number): SpatialAnnotation[] {
  const area = { x: p.x - near, y: p.y - near, w: 2 * near, h: 2 * near }
  const found: SpatialAnnotation[] = []
  for (const a of context.scene.search(area)) {
    if (isSpatial(a) && context.visible(a) && kindOf(a).hit(a, p, near)) found.push(a)
  }
  const thin = (a: SpatialAnnotation): number => (kindOf(a).area ? kindOf(a).extent(a) : 0)
  return found.reverse().sort((a, b) => thin(a) - thin(b))
}

/** The one selected shape, whose handles are shown. */
export function soleSelected(context: ImageContext): SpatialAnnotation | null {
  if (context.selection.size !== 1) return null
  const a = context.scene.find([...context.selection][0] as string)
  return a && isSpatial(a) && context.visible(a) ? a : null
}

export function handlesOf(a: SpatialAnnotation, context: Pick<ImageContext, 'zoom' | 'turning'>): readonly Handle[] {
  const own = kindOf(a).handles(a, context.zoom)
  return context.turning && a.kind === 'box' ? [...own, rotateHandle(a, context.zoom)] : own
}

export function handleUnder(p: Vec, context: ImageContext, near: number): { a: SpatialAnnotation; handle: Handle } | null {
  const a = soleSelected(context)
  if (!a || context.readOnly) return null
  let best: Handle | null = null
  for (const handle of handlesOf(a, context)) {
    const d = distance(p, handle.at)
    if (d <= near && (!best || d < distance(p, best.at))) best = handle
  }
  return best ? { a, handle: best } : null
}

/** A place on the selected path's outline where a vertex can be inserted. */
function insertUnder(p: Vec, context: ImageContext, near: number): { a: SpatialAnnotation; segment: number; at: Vec } | null {
  const a = soleSelected(context)
  if (!a || context.readOnly || !('points' in a)) return null
  const path = kindOf(a).path
  if (!path || a.points.length >= 10_000) return null
  const on = nearestOnPath(a.points, path.closed, p)
  return on.distance <= near ? { a, segment: on.segment, at: on.at } : null
}

function hover(event: PointerNews, context: ImageContext): ImageStep<SelectState> {
  const near = reach(event.by) / context.zoom
  const handle = handleUnder(event.at, context, near * 1.3)
  if (handle) return { state: IDLE, cursor: handle.handle.cursor }
  const insert = insertUnder(event.at, context, near * 0.7)
  if (insert) return { state: IDLE, cursor: 'copy', preview: { insert: insert.at } }
  const hit = under(event.at, context, near)[0]
  return hit ? { state: IDLE, cursor: 'move', preview: { hover: hit.id } } : { state: IDLE, cursor: 'default' }
}

function press(event: PointerNews, context: ImageContext): ImageStep<SelectState> {
  const near = reach(event.by) / context.zoom
  const { at, mods } = event
  const grabbed = mods.shift ? null : handleUnder(at, context, near * 1.3)
  if (grabbed) {
    const index = vertexOf(grabbed.handle.id)
    if (index !== null && (mods.alt || event.clicks === 2)) return cutVertex(grabbed.a, index)
    const state: SelectState = {
      mode: 'handle',
      from: grabbed.a,
      now: grabbed.a,
      handle: grabbed.handle,
      grip: sub(grabbed.handle.anchor, at),
      moved: false,
      start: at,
    }
    return { state, cursor: grabbed.handle.cursor, preview: { vertex: index } }
  }
  const insert = mods.shift ? null : insertUnder(at, context, near * 0.7)
  if (insert) return pressInsert(insert, at)
  const stack = under(at, context, near)
  const first = stack[0]
  const selected = stack.find((a) => context.selection.has(a.id))
  const hit = mods.shift ? (first ?? null) : (selected ?? first ?? null)
  const had = hit !== null && context.selection.has(hit.id)
  const state: SelectState = { mode: 'pressed', at, hit: hit?.id ?? null, had, shift: mods.shift }
  if (!hit || had || mods.shift) return { state, preview: { vertex: null } }
  return { state, selection: [hit.id], cursor: 'move', preview: { vertex: null } }
}

function pressInsert(insert: { a: SpatialAnnotation; segment: number; at: Vec }, at: Vec): ImageStep<SelectState> {
  const path = kindOf(insert.a).path
  if (!path) return { state: IDLE }
  const from = path.insert(insert.a, insert.segment, insert.at)
  const id = `v${insert.segment + 1}`
  const handle: Handle = { id, role: 'vertex', anchor: insert.at, at: insert.at, cursor: 'move' }
  return {
    state: { mode: 'handle', from, now: from, handle, grip: sub(insert.at, at), moved: true, start: at },
    cursor: 'move',
    preview: { ghosts: [from], vertex: insert.segment + 1 },
  }
}

export function cutVertex(a: SpatialAnnotation, index: number): ImageStep<SelectState> {
  const kind = kindOf(a)
  const next = kind.path?.remove(a, index) ?? null
  const edit = next ? changeEdit<Annotation>(a, next) : null
  return { state: IDLE, preview: { vertex: null }, ...(edit ? { edits: [edit], mark: 'cut' } : {}) }
}

function drag(state: SelectState, event: PointerNews, context: ImageContext): ImageStep<SelectState> {
  switch (state.mode) {
    case 'idle':
      return hover(event, context)
    case 'pressed': {
      if (distance(event.at, state.at) * context.zoom < SLOP) return { state }
      if (state.hit === null || state.shift) {
        const base = state.shift ? context.selection : NONE
        return marquee({ mode: 'marquee', at: state.at, now: event.at, base }, event, context)
      }
      if (context.readOnly) return { state: IDLE }
      const ids = new Set(context.selection.has(state.hit) ? context.selection : [state.hit])
      const box = unionAll([...ids].map((id) => context.scene.find(id)).filter((a) => a !== null && isSpatial(a)).map((a) => kindOf(a).bounds(a)))
      if (!box) return { state: IDLE }
      return shift({ mode: 'moving', at: state.at, ids, box, dx: 0, dy: 0 }, event, context)
    }
    case 'moving':
      return shift(state, event, context)
    case 'marquee':
      return marquee({ ...state, now: event.at }, event, context)
    case 'handle':
      return pullHandle(state, event, context)
  }
}

type Moving = Extract<SelectState, { mode: 'moving' }>
type Marquee = Extract<SelectState, { mode: 'marquee' }>
type Pulling = Extract<SelectState, { mode: 'handle' }>

/** Keeps inside the image what was inside. */
export function keepInside(box: Rect, dx: number, dy: number, context: ImageContext): Vec {
  const { w, h } = context.size
  if (!encloses({ x: 0, y: 0, w, h }, box)) return { x: dx, y: dy }
  return { x: clamp(dx, -box.x, w - box.x - box.w), y: clamp(dy, -box.y, h - box.y - box.h) }
}

function shift(state: Moving, event: PointerNews, context: ImageContext): ImageStep<SelectState> {
  let { x: dx, y: dy } = sub(event.at, state.at)
  if (event.mods.shift) {
    if (Math.abs(dx) > Math.abs(dy)) dy = 0
    else dx = 0
  }
  let guides: readonly Guide[] = []
  if (!event.mods.alt) {
    const r = { ...state.box, x: state.box.x + dx, y: state.box.y + dy }
    const pulled = snapRect(r, context, state.ids)
    if (!(event.mods.shift && dx === 0)) dx += pulled.dx
    if (!(event.mods.shift && dy === 0)) dy += pulled.dy
    guides = pulled.guides
  }
  const kept = keepInside(state.box, dx, dy, context)
  const next: Moving = { ...state, dx: kept.x, dy: kept.y }
  return { state: next, cursor: 'move', preview: { shift: { ids: state.ids, dx: kept.x, dy: kept.y }, guides } }
}

function marquee(state: Marquee, event: PointerNews, context: ImageContext): ImageStep<SelectState> {
  const rect = rectOf(state.at, event.at)
  const selection = new Set(state.base)
  for (const a of context.scene.search(rect)) {
    if (isSpatial(a) && context.visible(a) && kindOf(a).overlaps(a, rect)) selection.add(a.id)
  }
  return { state, selection, cursor: 'crosshair', preview: { marquee: rect } }
}

function pullHandle(state: Pulling, event: PointerNews, context: ImageContext): ImageStep<SelectState> {
  if (!state.moved && distance(event.at, state.start) * context.zoom < SLOP) return { state, cursor: state.handle.cursor }
  let to = add(event.at, state.grip)
  let guides: readonly Guide[] = []
  const { role, id } = state.handle
  const except = new Set([state.from.id])
  const turned = state.from.kind === 'box' && (state.from.angle_rad ?? 0) !== 0
  if (role !== 'rotate') {
    to = { x: clamp(to.x, 0, context.size.w), y: clamp(to.y, 0, context.size.h) }
    if (!event.mods.alt && role === 'vertex') to = snapVertex(to, context, except).at
    else if (!event.mods.alt && !turned) {
      const pulled = snapPoint(to, context, except)
      to = pulled.at
      guides = role === 'edge' ? pulled.guides.filter((g) => (g.axis === 'x') === (id === 'e' || id === 'w')) : pulled.guides
    }
  }
  const now = kindOf(state.from).drag(state.from, id, to, { keep: event.mods.shift })
  return {
    state: { ...state, now, moved: true },
    cursor: role === 'rotate' ? 'grabbing' : state.handle.cursor,
    preview: { ghosts: [now], guides },
  }
}

function release(state: SelectState, event: PointerNews, context: ImageContext): ImageStep<SelectState> {
  switch (state.mode) {
    case 'idle':
    case 'marquee':
      return { state: IDLE }
    case 'pressed':
      return { state: IDLE, ...click(state, event, context) }
    case 'moving': {
      const edits = moveEdits(context, state.ids, state.dx, state.dy)
      return { state: IDLE, edits, mark: 'move' }
    }
    case 'handle': {
      if (!state.moved) return { state: IDLE }
      const before = context.scene.find(state.from.id)
      const edit = before ? changeEdit<Annotation>(before, kindOf(state.now).tidy(state.now)) : null
      const inserted = before !== null && 'points' in before && 'points' in state.now && before.points.length < state.now.points.length
      const mark = inserted ? 'insert' : { rotate: 'rotate', vertex: 'vertex', corner: 'resize', edge: 'resize' }[state.handle.role]
      return { state: IDLE, mark, ...(edit ? { edits: [edit] } : {}) }
    }
  }
}

function click(
  state: Extract<SelectState, { mode: 'pressed' }>,
  event: PointerNews,
  context: ImageContext,
): { selection?: Iterable<string> } {
  if (state.hit === null) return state.shift ? {} : { selection: [] }
  if (state.shift) {
    const next = new Set(context.selection)
    if (!next.delete(state.hit)) next.add(state.hit)
    return { selection: next }
  }
  if (!state.had) return {}
  // a second click on the same place means the shape below
  const stack = under(event.at, context, reach(event.by) / context.zoom)
  if (context.selection.size > 1) return { selection: [state.hit] }
  const at = stack.findIndex((a) => a.id === state.hit)
  const next = stack[(at + 1) % stack.length]
  return next ? { selection: [next.id] } : {}
}

export function moveEdits(context: Pick<ImageContext, 'scene'>, ids: Iterable<string>, dx: number, dy: number): Edit<Annotation>[] {
  const edits: Edit<Annotation>[] = []
  for (const id of ids) {
    const a = context.scene.find(id)
    if (!a || !isSpatial(a)) continue
    const kind = kindOf(a)
    const edit = changeEdit<Annotation>(a, kind.tidy(kind.move(a, dx, dy)))
    if (edit) edits.push(edit)
  }
  return edits
}

function step(state: SelectState, event: ToolEvent, context: ImageContext): ImageStep<SelectState> {
  switch (event.type) {
    case 'down':
      return press(event, context)
    case 'move':
      return drag(state, event, context)
    case 'up':
      return release(state, event, context)
    case 'cancel':
      return state.mode === 'marquee' ? { state: IDLE, selection: state.base } : { state: IDLE }
    case 'key': {
      if (state.mode !== 'idle' || context.readOnly) return { state, used: false }
      const a = soleSelected(context)
      if ((event.key === 'Delete' || event.key === 'Backspace') && a && context.vertex !== null && 'points' in a && a.points.length > (kindOf(a).path?.least ?? 0)) {
        return { ...cutVertex(a, context.vertex), used: true }
      }
      return { state, used: false }
    }
  }
}

export const selectTool: ImageTool<SelectState> = {
  name: 'select',
  cursor: 'default',
  initial: IDLE,
  step,
  busy: (state) => state.mode !== 'idle' && state.mode !== 'pressed',
}
