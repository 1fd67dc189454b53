/** Plane geometry. x right, y down; angles clockwise, in radians. */

export interface Vec {
  readonly x: number
  readonly y: number
}

export interface Rect {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

export interface Size {
  readonly w: number
  readonly h: number
}

/** A vertex as it is stored in an annotation. */
export type Pair = readonly [number, number]

export const add = (a: Vec, b: Vec): Vec => ({ x: a.x + b.x, y: a.y + b.y })
export const sub = (a: Vec, b: Vec): Vec => ({ x: a.x - b.x, y: a.y - b.y })
export const distance = (a: Vec, b: Vec): number => Math.hypot(a.x - b.x, a.y - b.y)
export const lerp = (a: number, b: number, t: number): number => a + (b - a) * t
export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)
export const vec = (pair: Pair): Vec => ({ x: pair[0], y: pair[1] })

export function rotate(p: Vec, about: Vec, angle: number): Vec {
  if (angle === 0) return p
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  const dx = p.x - about.x
  const dy = p.y - about.y
  return { x: about.x + dx * cos - dy * sin, y: about.y + dx * sin + dy * cos }
}

/** The point of segment ab nearest to p. */
export function nearestOnSegment(p: Vec, a: Vec, b: Vec): Vec {
  const dx = b.x - a.x
  const dy = b.y - a.y
  const squared = dx * dx + dy * dy
  if (squared === 0) return a
  const t = clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / squared, 0, 1)
  return { x: a.x + t * dx, y: a.y + t * dy }
}

export const distanceToSegment = (p: Vec, a: Vec, b: Vec): number => distance(p, nearestOnSegment(p, a, b))

export const rectOf = (a: Vec, b: Vec): Rect => ({
  x: Math.min(a.x, b.x),
  y: Math.min(a.y, b.y),
  w: Math.abs(a.x - b.x),
  h: Math.abs(a.y - b.y),
})

export const centre = (r: Rect): Vec => ({ x: r.x + r.w / 2, y: r.y + r.h / 2 })

export const grow = (r: Rect, by: number): Rect => ({ x: r.x - by, y: r.y - by, w: r.w + 2 * by, h: r.h + 2 * by })

export const contains = (r: Rect, p: Vec): boolean => p.x >= r.x && p.y >= r.y && p.x <= r.x + r.w && p.y <= r.y + r.h

export const encloses = (outer: Rect, inner: Rect): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.w <= outer.x + outer.w &&
  inner.y + inner.h <= outer.y + outer.h

export const meets = (a: Rect, b: Rect): boolean =>
  a.x <= b.x + b.w && b.x <= a.x + a.w && a.y <= b.y + b.h && b.y <= a.y + a.h

export function union(a: Rect, b: Rect): Rect {
  const x = Math.min(a.x, b.x)
  const y = Math.min(a.y, b.y)
  return { x, y, w: Math.max(a.x + a.w, b.x + b.w) - x, h: Math.max(a.y + a.h, b.y + b.h) - y }
}

export function unionAll(rects: Iterable<Rect>): Rect | null {
  let all: Rect | null = null
  for (const r of rects) all = all ? union(all, r) : r
  return all
}

export function boundsOf(points: readonly Pair[]): Rect {
  let x0 = Infinity
  let y0 = Infinity
  let x1 = -Infinity
  let y1 = -Infinity
  for (const [x, y] of points) {
    if (x < x0) x0 = x
    if (x > x1) x1 = x
    if (y < y0) y0 = y
    if (y > y1) y1 = y
  }
  return { x: x0, y: y0, w: x1 - x0, h: y1 - y0 }
}

export const corners = (r: Rect): readonly [Vec, Vec, Vec, Vec] => [
  { x: r.x, y: r.y },
  { x: r.x + r.w, y: r.y },
  { x: r.x + r.w, y: r.y + r.h },
  { x: r.x, y: r.y + r.h },
]

/** Even-odd, the rule that the canvas fills with. */
export function insidePolygon(points: readonly Pair[], p: Vec): boolean {
  let inside = false
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [xi, yi] = points[i] as Pair
    const [xj, yj] = points[j] as Pair
    if (yi > p.y !== yj > p.y && p.x < ((xj - xi) * (p.y - yi)) / (yj - yi) + xi) inside = !inside
  }
  return inside
}

/** Shoelace; absolute. */
export function polygonArea(points: readonly Pair[]): number {
  let twice = 0
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [xi, yi] = points[i] as Pair
    const [xj, yj] = points[j] as Pair
    twice += (xj + xi) * (yj - yi)
  }
  return Math.abs(twice) / 2
}

export function pathLength(points: readonly Pair[]): number {
  let sum = 0
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1] as Pair
    const b = points[i] as Pair
    sum += Math.hypot(b[0] - a[0], b[1] - a[1])
  }
  return sum
}

export interface OnPath {
  /** Index of the segment's first vertex. */
  readonly segment: number
  readonly at: Vec
  readonly distance: number
}

/** The place on a path nearest to p. Needs one point at least. */
export function nearestOnPath(points: readonly Pair[], closed: boolean, p: Vec): OnPath {
  const count = closed ? points.length : points.length - 1
  let best: OnPath = { segment: 0, at: vec(points[0] as Pair), distance: distance(p, vec(points[0] as Pair)) }
  for (let i = 0; i < count; i++) {
    const at = nearestOnSegment(p, vec(points[i] as Pair), vec(points[(i + 1) % points.length] as Pair))
    const d = distance(p, at)
    if (d < best.distance) best = { segment: i, at, distance: d }
  }
  return best
}

function cross(a: Vec, b: Vec, c: Vec): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

export function segmentsCross(a: Vec, b: Vec, c: Vec, d: Vec): boolean {
  const abc = cross(a, b, c)
  const abd = cross(a, b, d)
  const cda = cross(c, d, a)
  const cdb = cross(c, d, b)
  return abc > 0 !== abd > 0 && cda > 0 !== cdb > 0
}

/** Does a path (closed: an area) share a point with a rectangle? */
export function pathMeetsRect(points: readonly Pair[], closed: boolean, r: Rect): boolean {
  for (const pair of points) if (contains(r, vec(pair))) return true
  const [nw, ne, se, sw] = corners(r)
  const count = closed ? points.length : points.length - 1
  for (let i = 0; i < count; i++) {
    const a = vec(points[i] as Pair)
    const b = vec(points[(i + 1) % points.length] as Pair)
    if (segmentsCross(a, b, nw, se) || segmentsCross(a, b, ne, sw)) return true
  }
  return closed && insidePolygon(points, centre(r))
}

/** A point that lies in the polygon: the centroid when it does, else the middle of its widest scan line. */
export function pointInPolygon(points: readonly Pair[]): Vec {
  const box = boundsOf(points)
  let x = 0
  let y = 0
  for (const [px, py] of points) {
    x += px / points.length
    y += py / points.length
  }
  if (insidePolygon(points, { x, y })) return { x, y }
  let best: Vec = { x, y }
  let width = -1
  for (const part of [0.5, 0.25, 0.75, 0.375, 0.625]) {
    const line = box.y + box.h * part
    const cuts: number[] = []
    for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
      const [xi, yi] = points[i] as Pair
      const [xj, yj] = points[j] as Pair
      if (yi > line !== yj > line) cuts.push(((xj - xi) * (line - yi)) / (yj - yi) + xi)
    }
    cuts.sort((a, b) => a - b)
    for (let i = 0; i + 1 < cuts.length; i += 2) {
      const gap = (cuts[i + 1] as number) - (cuts[i] as number)
      if (gap > width) {
        width = gap
        best = { x: ((cuts[i] as number) + (cuts[i + 1] as number)) / 2, y: line }
      }
    }
  }
  return best
}
