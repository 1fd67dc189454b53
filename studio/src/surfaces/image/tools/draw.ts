/** The tools that draw. All of them draw first and name after, or name first and draw many: `classFor` decides. */
import { LEAST } from '../../../kinds/box'
import { kindOf } from '../../../kinds/list'
import { addEdit } from '../../../kernel/edits'
import type { PointerNews, ToolEvent } from '../../../kernel/tool'
import { type Vec, clamp, distance, rectOf, vec } from '../../../kernel/vec'
import type { Annotation, BoxAnnotation, SpatialAnnotation, XY } from '../../../model/types'
import { type Guide, type ImageContext, type ImageStep, type ImageTool, SLOP, reach } from './context'
import { type SelectState, handleUnder, selectTool } from './select'
import { snapPoint, snapVertex } from './snap'

const NONE: ReadonlySet<string> = new Set()

const inImage = (p: Vec, context: ImageContext): Vec => ({
  x: clamp(p.x, 0, context.size.w),
  y: clamp(p.y, 0, context.size.h),
})

function placed(context: ImageContext, shape: SpatialAnnotation): Pick<ImageStep<never>, 'edits' | 'mark' | 'selection'> {
  const tidy = kindOf(shape).tidy(shape)
  return { edits: [addEdit<Annotation>(context.scene, tidy)], mark: shape.kind, selection: [shape.id] }
}

// ---- box ----

export type BoxState =
  | { readonly mode: 'idle' }
  | { readonly mode: 'drawing'; readonly from: Vec; readonly id: string; readonly held: boolean; readonly now: Vec }
  /** A handle of the box just drawn was taken: the select tool sees it through. */
  | { readonly mode: 'adjusting'; readonly inner: SelectState }

const BOX_IDLE: BoxState = { mode: 'idle' }

function boxCorner(event: PointerNews, context: ImageContext, from: Vec | null): { at: Vec; guides: readonly Guide[] } {
  let at = inImage(event.at, context)
  let guides: readonly Guide[] = []
  if (!event.mods.alt) {
    const pulled = snapPoint(at, context, NONE)
    at = pulled.at
    guides = pulled.guides
  }
  if (from && event.mods.shift) {
    const side = Math.min(Math.max(Math.abs(at.x - from.x), Math.abs(at.y - from.y)), context.size.w, context.size.h)
    at = inImage({ x: from.x + side * (Math.sign(at.x - from.x) || 1), y: from.y + side * (Math.sign(at.y - from.y) || 1) }, context)
    guides = []
  }
  return { at, guides }
}

function boxFrom(state: Extract<BoxState, { mode: 'drawing' }>, to: Vec, context: ImageContext): BoxAnnotation {
  return { id: state.id, kind: 'box', class: context.classFor('box'), ...rectOf(state.from, to) }
}

/** The box may be drawn by press-drag-release, or by two clicks. */
function boxStep(state: BoxState, event: ToolEvent, context: ImageContext): ImageStep<BoxState> {
  if (state.mode === 'adjusting') return adjust(state.inner, event, context)
  switch (event.type) {
    case 'down': {
      if (context.readOnly) return { state }
      if (state.mode === 'drawing') return finishBox(state, event, context)
      const grabbed = event.mods.shift ? null : handleUnder(event.at, context, reach(event.by) / context.zoom)
      if (grabbed) return adjust(selectTool.initial, event, context)
      const { at, guides } = boxCorner(event, context, null)
      return { state: { mode: 'drawing', from: at, id: context.newId(), held: true, now: at }, selection: [], preview: { guides } }
    }
    case 'move': {
      if (state.mode === 'idle') return boxHover(event, context)
      const { at, guides } = boxCorner(event, context, state.from)
      const shape = boxFrom(state, at, context)
      return { state: { ...state, now: at }, preview: { ghosts: [shape], guides } }
    }
    case 'up': {
      if (state.mode === 'idle' || !state.held) return { state }
      const far = distance(event.at, state.from) * context.zoom
      if (far < SLOP) return { state: { ...state, held: false }, preview: { ghosts: [boxFrom(state, state.from, context)] } }
      return finishBox(state, event, context)
    }
    case 'cancel':
      return { state: BOX_IDLE }
    case 'key':
      if (state.mode === 'drawing' && event.key === 'Enter') return finishAt(state, state.now, context)
      return { state, used: false, ...(state.mode === 'drawing' ? { preview: { ghosts: [boxFrom(state, state.now, context)] } } : {}) }
  }
}

function boxHover(event: PointerNews, context: ImageContext): ImageStep<BoxState> {
  const handle = handleUnder(event.at, context, reach(event.by) / context.zoom)
  if (handle) return { state: BOX_IDLE, cursor: handle.handle.cursor }
  if (event.mods.alt) return { state: BOX_IDLE }
  const { guides } = snapPoint(inImage(event.at, context), context, NONE)
  return { state: BOX_IDLE, preview: { guides } }
}

const finishBox = (state: Extract<BoxState, { mode: 'drawing' }>, event: PointerNews, context: ImageContext): ImageStep<BoxState> =>
  finishAt(state, boxCorner(event, context, state.from).at, context)

function finishAt(state: Extract<BoxState, { mode: 'drawing' }>, to: Vec, context: ImageContext): ImageStep<BoxState> {
  const shape = boxFrom(state, to, context)
  // too thin to be meant: go on drawing, nothing is placed
  if (shape.w < LEAST || shape.h < LEAST) return { state: { ...state, held: false }, preview: { ghosts: [shape] } }
  return { state: BOX_IDLE, ...placed(context, shape) }
}

function adjust(inner: SelectState, event: ToolEvent, context: ImageContext): ImageStep<BoxState> {
  const next = selectTool.step(inner, event, context)
  const state: BoxState = next.state.mode === 'handle' ? { mode: 'adjusting', inner: next.state } : BOX_IDLE
  return { ...next, state }
}

export const boxTool: ImageTool<BoxState> = {
  name: 'box',
  cursor: 'crosshair',
  initial: BOX_IDLE,
  step: boxStep,
  busy: (state) => state.mode !== 'idle',
}

// ---- polygon and line ----

export interface PathState {
  readonly points: readonly XY[]
  readonly end: Vec | null
  /** Set while the pointer is down and dragging: points follow the hand. */
  readonly trailing: boolean
}

const PATH_IDLE: PathState = { points: [], end: null, trailing: false }
const EIGHTH = Math.PI / 4
/** Free hand: a point every so many screen pixels. */
const TRAIL = 10

function vertexAt(state: PathState, event: PointerNews, context: ImageContext): { at: Vec; snapped: boolean } {
  const p = inImage(event.at, context)
  const last = state.points.at(-1)
  if (event.mods.shift && last) {
    const from = vec(last)
    const angle = Math.round(Math.atan2(p.y - from.y, p.x - from.x) / EIGHTH) * EIGHTH
    const far = distance(p, from)
    return { at: inImage({ x: from.x + Math.cos(angle) * far, y: from.y + Math.sin(angle) * far }, context), snapped: false }
  }
  if (event.mods.alt) return { at: p, snapped: false }
  const { at, pulled } = snapVertex(p, context, NONE)
  return { at, snapped: pulled }
}

function pathTool(kind: 'polygon' | 'line', least: number): ImageTool<PathState> {
  const closed = kind === 'polygon'

  const overFirst = (state: PathState, event: PointerNews, context: ImageContext): boolean => {
    const first = state.points[0]
    return closed && state.points.length >= least && first !== undefined && distance(event.at, vec(first)) * context.zoom <= reach(event.by) * 1.5
  }

  const preview = (state: PathState, context: ImageContext, closing = false, snapped = false): ImageStep<PathState> =>
    state.points.length === 0
      ? { state, ...(snapped && state.end ? { preview: { snapped: state.end } } : {}) }
      : {
          state,
          cursor: closing ? 'pointer' : 'crosshair',
          preview: {
            path: { points: state.points, end: state.end, closed, closing, class: context.classFor(kind) },
            ...(snapped && state.end ? { snapped: state.end } : {}),
          },
        }

  const finish = (state: PathState, context: ImageContext): ImageStep<PathState> => {
    const points = withoutRepeats(state.points, closed)
    if (points.length < least) return preview(state, context)
    return { state: PATH_IDLE, ...placed(context, { id: context.newId(), kind, class: context.classFor(kind), points }) }
  }

  const most = (context: ImageContext): number => context.ontology.limits?.[kind]?.max_points ?? 10_000

  const press = (state: PathState, event: PointerNews, context: ImageContext): ImageStep<PathState> => {
    if (context.readOnly) return { state }
    if (overFirst(state, event, context)) return finish(state, context)
    if (event.clicks === 2 && state.points.length >= least) return finish(state, context)
    if (state.points.length >= most(context)) return preview(state, context)
    const { at } = vertexAt(state, event, context)
    const next: PathState = { points: [...state.points, [at.x, at.y]], end: at, trailing: true }
    if (!closed && next.points.length >= most(context)) return finish(next, context)
    return { ...preview(next, context), ...(state.points.length === 0 ? { selection: [] } : {}) }
  }

  const move = (state: PathState, event: PointerNews, context: ImageContext): ImageStep<PathState> => {
    const closing = overFirst(state, event, context)
    const { at, snapped } = closing ? { at: vec(state.points[0] as XY), snapped: true } : vertexAt(state, event, context)
    const last = state.points.at(-1)
    const trail = state.trailing && last && distance(at, vec(last)) * context.zoom >= TRAIL && state.points.length < most(context) && !closing
    const points: readonly XY[] = trail ? [...state.points, [at.x, at.y]] : state.points
    return preview({ ...state, points, end: at }, context, closing, snapped)
  }

  return {
    name: kind,
    cursor: 'crosshair',
    initial: PATH_IDLE,
    busy: (state) => state.points.length > 0,
    step(state, event, context) {
      switch (event.type) {
        case 'down':
          return press(state, event, context)
        case 'move':
          return move(state, event, context)
        case 'up': {
          const was = state.trailing && closed && state.points.length > 8 && overFirst(state, event, context)
          const next = { ...state, trailing: false }
          return was ? finish(next, context) : preview(next, context)
        }
        case 'cancel':
          return { state: PATH_IDLE }
        case 'key': {
          if (state.points.length === 0) return { state, used: false }
          if (event.key === 'Enter') return { ...finish(state, context), used: true }
          if (event.key === 'Backspace' || event.key === 'Delete') {
            return { ...preview({ ...state, points: state.points.slice(0, -1) }, context), used: true }
          }
          return { ...preview(state, context), used: false }
        }
      }
    },
  }
}

/** A double click leaves the same point twice; a closed path must not end where it began. */
function withoutRepeats(points: readonly XY[], closed: boolean): XY[] {
  const kept = points.filter((p, i) => {
    const before = points[i - 1]
    return !before || before[0] !== p[0] || before[1] !== p[1]
  })
  const first = kept[0]
  const last = kept.at(-1)
  if (closed && kept.length > 1 && first && last && first[0] === last[0] && first[1] === last[1]) kept.pop()
  return kept
}

export const polygonTool = pathTool('polygon', 3)
export const lineTool = pathTool('line', 2)

// ---- point ----

export interface PointState {
  readonly down: boolean
}

export const pointTool: ImageTool<PointState> = {
  name: 'point',
  cursor: 'crosshair',
  initial: { down: false },
  busy: (state) => state.down,
  step(state, event, context) {
    switch (event.type) {
      case 'down':
        return { state: { down: !context.readOnly } }
      case 'move': {
        const at = inImage(event.at, context)
        const ghost = { id: 'point-in-hand', kind: 'point', class: context.classFor('point'), x: at.x, y: at.y } as const
        return { state, ...(state.down ? { preview: { ghosts: [ghost] } } : {}) }
      }
      case 'up': {
        if (!state.down) return { state }
        const at = inImage(event.at, context)
        const shape = { id: context.newId(), kind: 'point', class: context.classFor('point'), x: at.x, y: at.y } as const
        return { state: { down: false }, ...placed(context, shape) }
      }
      case 'cancel':
        return { state: { down: false } }
      case 'key':
        return { state, used: false }
    }
  },
}
