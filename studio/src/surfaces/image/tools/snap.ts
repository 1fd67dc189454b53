/** Snapping to the image's edges and to neighbours' edges and vertices. Alt turns it off: that is the caller's business. */
import { isSpatial, kindOf } from '../../../kinds/list'
import { type Rect, type Vec, distance, nearestOnPath, vec } from '../../../kernel/vec'
import type { Guide, ImageContext } from './context'

/** Screen pixels within which an edge pulls. */
const PULL = 6
/** Neighbours further away than this on screen do not pull. */
const NEAR = 160
const MOST = 64

export interface Snapped {
  readonly at: Vec
  readonly guides: readonly Guide[]
}

interface Lines {
  readonly xs: readonly number[]
  readonly ys: readonly number[]
}

function neighbours(context: ImageContext, around: Rect, except: ReadonlySet<string>): Rect[] {
  const pad = NEAR / context.zoom
  const area = { x: around.x - pad, y: around.y - pad, w: around.w + 2 * pad, h: around.h + 2 * pad }
  const found: Rect[] = []
  for (const a of context.scene.search(area)) {
    if (found.length >= MOST) break
    if (except.has(a.id) || !isSpatial(a) || a.kind === 'point' || !context.visible(a)) continue
    found.push(kindOf(a).bounds(a))
  }
  return found
}

function linesNear(context: ImageContext, around: Rect, except: ReadonlySet<string>): Lines {
  const xs = [0, context.size.w]
  const ys = [0, context.size.h]
  for (const r of neighbours(context, around, except)) {
    xs.push(r.x, r.x + r.w)
    ys.push(r.y, r.y + r.h)
  }
  return { xs, ys }
}

/** The line that pulls a value hardest; null when none is in reach. */
function pull(value: number, lines: readonly number[], within: number): number | null {
  let best: number | null = null
  for (const at of lines) {
    const d = Math.abs(at - value)
    if (d <= within && (best === null || d < Math.abs(best - value))) best = at
  }
  return best
}

/** One point (a box's corner in the making, a handle) to lines. */
export function snapPoint(p: Vec, context: ImageContext, except: ReadonlySet<string>): Snapped {
  const lines = linesNear(context, { x: p.x, y: p.y, w: 0, h: 0 }, except)
  const within = PULL / context.zoom
  const x = pull(p.x, lines.xs, within)
  const y = pull(p.y, lines.ys, within)
  const guides: Guide[] = []
  if (x !== null) guides.push({ axis: 'x', at: x })
  if (y !== null) guides.push({ axis: 'y', at: y })
  return { at: { x: x ?? p.x, y: y ?? p.y }, guides }
}

/** A rectangle on the move: the edge that is pulled hardest on each axis takes the rest along. */
export function snapRect(r: Rect, context: ImageContext, except: ReadonlySet<string>): { dx: number; dy: number; guides: Guide[] } {
  const lines = linesNear(context, r, except)
  const within = PULL / context.zoom
  const shift = (edges: readonly number[], to: readonly number[]): { by: number; at: number } | null => {
    let best: { by: number; at: number } | null = null
    for (const edge of edges) {
      const at = pull(edge, to, within)
      if (at !== null && (best === null || Math.abs(at - edge) < Math.abs(best.by))) best = { by: at - edge, at }
    }
    return best
  }
  const x = shift([r.x, r.x + r.w], lines.xs)
  const y = shift([r.y, r.y + r.h], lines.ys)
  const guides: Guide[] = []
  if (x) guides.push({ axis: 'x', at: x.at })
  if (y) guides.push({ axis: 'y', at: y.at })
  return { dx: x?.by ?? 0, dy: y?.by ?? 0, guides }
}

/** A vertex to neighbours' vertices first, then to their outlines, then to the image's edges. */
export function snapVertex(p: Vec, context: ImageContext, except: ReadonlySet<string>): { at: Vec; pulled: boolean } {
  const within = PULL / context.zoom
  let vertex: Vec | null = null
  let outline: Vec | null = null
  const area = { x: p.x - within, y: p.y - within, w: 2 * within, h: 2 * within }
  for (const a of context.scene.search(area)) {
    if (except.has(a.id) || !isSpatial(a) || a.kind === 'point' || !context.visible(a)) continue
    const ring = kindOf(a).outline(a)
    for (const pair of ring) {
      const v = vec(pair)
      if (distance(v, p) <= within && (!vertex || distance(v, p) < distance(vertex, p))) vertex = v
    }
    const on = nearestOnPath(ring, kindOf(a).area, p)
    if (on.distance <= within && (!outline || on.distance < distance(outline, p))) outline = on.at
  }
  if (vertex) return { at: vertex, pulled: true }
  if (outline) return { at: outline, pulled: true }
  const x = pull(p.x, [0, context.size.w], within)
  const y = pull(p.y, [0, context.size.h], within)
  return { at: { x: x ?? p.x, y: y ?? p.y }, pulled: x !== null || y !== null }
}
