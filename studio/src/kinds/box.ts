import {
  type Rect,
  type Vec,
  boundsOf,
  centre,
  contains,
  corners,
  distanceToSegment,
  grow,
  lerp,
  meets,
  pathMeetsRect,
  rotate,
} from '../kernel/vec'
import type { BoxAnnotation, XY } from '../model/types'
import { type Handle, OUTSET, type Phrase, SMALL, type SpatialKind, round2 } from './kind'

/** A box never becomes thinner than this by dragging, media pixels. */
export const LEAST = 1
const STEP = Math.PI / 12
/** How far above the box its rotation handle floats, screen pixels. */
const KNOB = 28

export const angleOf = (a: BoxAnnotation): number => a.angle_rad ?? 0

/** The four corners as they are, clockwise from what was the top left. */
export function cornersOf(a: BoxAnnotation): readonly [Vec, Vec, Vec, Vec] {
  const [nw, ne, se, sw] = corners(a)
  const about = centre(a)
  const angle = angleOf(a)
  return [rotate(nw, about, angle), rotate(ne, about, angle), rotate(se, about, angle), rotate(sw, about, angle)]
}

const outline = (a: BoxAnnotation): XY[] => cornersOf(a).map((c): XY => [c.x, c.y])

/** Into the box's own frame, where it lies straight. */
const straight = (a: BoxAnnotation, p: Vec): Vec => rotate(p, centre(a), -angleOf(a))

/** Horizontal and vertical place of each handle: 0 = left/top, 1 = right/bottom. */
const PLACES: Readonly<Record<string, readonly [number, number]>> = {
  nw: [0, 0],
  n: [0.5, 0],
  ne: [1, 0],
  e: [1, 0.5],
  se: [1, 1],
  s: [0.5, 1],
  sw: [0, 1],
  w: [0, 0.5],
}

const CURSORS = ['ew-resize', 'nwse-resize', 'ns-resize', 'nesw-resize'] as const
const HEADINGS: Readonly<Record<string, number>> = { e: 0, se: 1, s: 2, sw: 3, w: 4, nw: 5, n: 6, ne: 7 }

function cursorOf(id: string, angle: number): string {
  const eighths = (HEADINGS[id] ?? 0) + Math.round(angle / (Math.PI / 4))
  return CURSORS[((eighths % 4) + 4) % 4] as string
}

function handles(a: BoxAnnotation, zoom: number): Handle[] {
  const small = Math.min(a.w, a.h) * zoom < SMALL
  const shown = small ? grow(a, OUTSET / zoom) : a
  const about = centre(a)
  const angle = angleOf(a)
  const found: Handle[] = []
  for (const [id, [u, v]] of Object.entries(PLACES)) {
    const corner = u !== 0.5 && v !== 0.5
    const side = u === 0.5 ? a.w : a.h
    if (!corner && side * zoom < SMALL) continue
    found.push({
      id,
      role: corner ? 'corner' : 'edge',
      anchor: rotate({ x: a.x + a.w * u, y: a.y + a.h * v }, about, angle),
      at: rotate({ x: shown.x + shown.w * u, y: shown.y + shown.h * v }, about, angle),
      cursor: cursorOf(id, angle),
    })
  }
  return found
}

/** The knob that turns the box; on demand only. */
export function rotateHandle(a: BoxAnnotation, zoom: number): Handle {
  const at = rotate({ x: a.x + a.w / 2, y: a.y - KNOB / zoom }, centre(a), angleOf(a))
  return { id: 'rotate', role: 'rotate', anchor: at, at, cursor: 'grab' }
}

/** Clockwise about the centre, kept within (-pi, pi]. */
export function withAngle(a: BoxAnnotation, angle: number): BoxAnnotation {
  const turn = 2 * Math.PI
  const wrapped = angle - turn * Math.ceil((angle - Math.PI) / turn)
  const { angle_rad: _, ...rest } = a
  return Math.abs(wrapped) < 1e-9 ? rest : { ...rest, angle_rad: wrapped }
}

function dragged(a: BoxAnnotation, handle: string, to: Vec, keep: boolean): BoxAnnotation {
  if (handle === 'rotate') {
    const about = centre(a)
    const angle = Math.atan2(to.y - about.y, to.x - about.x) + Math.PI / 2
    return withAngle(a, keep ? Math.round(angle / STEP) * STEP : angle)
  }
  const place = PLACES[handle]
  if (!place) return a
  const [u, v] = place
  const p = straight(a, to)
  let [x0, y0, x1, y1] = [a.x, a.y, a.x + a.w, a.y + a.h]
  if (u === 0) x0 = p.x
  if (u === 1) x1 = p.x
  if (v === 0) y0 = p.y
  if (v === 1) y1 = p.y
  if (keep) {
    const scale = Math.max(u === 0.5 ? 0 : Math.abs(x1 - x0) / a.w, v === 0.5 ? 0 : Math.abs(y1 - y0) / a.h)
    const w = a.w * scale * (Math.sign(x1 - x0) || 1)
    const h = a.h * scale * (Math.sign(y1 - y0) || 1)
    if (u === 0) x0 = x1 - w
    else if (u === 1) x1 = x0 + w
    else [x0, x1] = [a.x + (a.w - w) / 2, a.x + (a.w + w) / 2]
    if (v === 0) y0 = y1 - h
    else if (v === 1) y1 = y0 + h
    else [y0, y1] = [a.y + (a.h - h) / 2, a.y + (a.h + h) / 2]
  }
  return fromStraight(a, {
    x: Math.min(x0, x1),
    y: Math.min(y0, y1),
    w: Math.max(Math.abs(x1 - x0), LEAST),
    h: Math.max(Math.abs(y1 - y0), LEAST),
  })
}

/** A rectangle in the frame of `a` becomes the box again: what did not move on screen stays. */
function fromStraight(a: BoxAnnotation, r: Rect): BoxAnnotation {
  const middle = rotate(centre(r), centre(a), angleOf(a))
  return { ...a, x: middle.x - r.w / 2, y: middle.y - r.h / 2, w: r.w, h: r.h }
}

function hit(a: BoxAnnotation, p: Vec, near: number): boolean {
  const q = straight(a, p)
  if (!contains(grow(a, near), q)) return false
  if (contains(a, q)) return true
  const c = corners(a)
  return c.some((from, i) => distanceToSegment(q, from, c[(i + 1) % 4] as Vec) <= near)
}

export const box: SpatialKind<BoxAnnotation> = {
  kind: 'box',
  area: true,
  bounds: (a) => (angleOf(a) === 0 ? { x: a.x, y: a.y, w: a.w, h: a.h } : boundsOf(outline(a))),
  hit,
  extent: (a) => a.w * a.h,
  overlaps: (a, rect) => (angleOf(a) === 0 ? meets(a, rect) : pathMeetsRect(outline(a), true, rect)),
  outline,
  inside: (a) => centre(a),
  handles,
  drag: (a, handle, to, { keep }) => dragged(a, handle, to, keep),
  move: (a, dx, dy) => ({ ...a, x: a.x + dx, y: a.y + dy }),
  resize: (a, from, to) => {
    const sx = from.w === 0 ? 1 : to.w / from.w
    const sy = from.h === 0 ? 1 : to.h / from.h
    return { ...a, x: to.x + (a.x - from.x) * sx, y: to.y + (a.y - from.y) * sy, w: a.w * sx, h: a.h * sy }
  },
  setSize: (a, size) => fromStraight(a, { x: a.x, y: a.y, w: size.w ?? a.w, h: size.h ?? a.h }),
  trace: (a, into, camera) => {
    if (angleOf(a) === 0) {
      into.rect((a.x - camera.x) * camera.zoom, (a.y - camera.y) * camera.zoom, a.w * camera.zoom, a.h * camera.zoom)
      return
    }
    cornersOf(a).forEach((c, i) => {
      const x = (c.x - camera.x) * camera.zoom
      const y = (c.y - camera.y) * camera.zoom
      if (i === 0) into.moveTo(x, y)
      else into.lineTo(x, y)
    })
    into.closePath()
  },
  labelAt: (a) => cornersOf(a).reduce((best, c) => (c.y < best.y - 1e-9 ? c : best)),
  interpolate: (a, b, t) => {
    const from = angleOf(a)
    const turn = 2 * Math.PI
    const by = angleOf(b) - from
    return withAngle(
      { ...a, x: lerp(a.x, b.x, t), y: lerp(a.y, b.y, t), w: lerp(a.w, b.w, t), h: lerp(a.h, b.h, t) },
      from + (by - turn * Math.round(by / turn)) * t,
    )
  },
  problems: (a, limits) => {
    const found: Phrase[] = []
    const { min_w, min_h, can_rotate } = limits.box ?? {}
    if (min_w !== undefined && a.w < min_w) found.push({ key: 'image.problem.narrow', params: { least: min_w } })
    if (min_h !== undefined && a.h < min_h) found.push({ key: 'image.problem.low', params: { least: min_h } })
    if (can_rotate === false && angleOf(a) !== 0) found.push({ key: 'image.problem.rotated', params: {} })
    return found
  },
  size: (a) => ({
    key: angleOf(a) === 0 ? 'image.size.box' : 'image.size.box_turned',
    params: { w: Math.round(a.w), h: Math.round(a.h), degrees: Math.round((angleOf(a) * 180) / Math.PI) },
  }),
  tidy: (a) => ({ ...a, x: round2(a.x), y: round2(a.y), w: Math.max(round2(a.w), 0.01), h: Math.max(round2(a.h), 0.01) }),
}
