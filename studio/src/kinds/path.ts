/** What polygons and lines share: everything that follows from a list of vertices. */
import type { Camera } from '../kernel/camera'
import { type Rect, type Size, type Vec, boundsOf, distance, lerp, vec } from '../kernel/vec'
import type { LineAnnotation, PathLimits, PolygonAnnotation, XY } from '../model/types'
import { type Handle, OUTSET, type PathSink, type Phrase, SMALL, movePoints, scalePoints, tidyPoints } from './kind'

type Path = PolygonAnnotation | LineAnnotation

/** Vertices closer than this on screen share one handle, or they would hide the object. */
const CROWDED = 9

export function tracePath(points: readonly XY[], closed: boolean, into: PathSink, camera: Camera): void {
  const { x, y, zoom } = camera
  for (let i = 0; i < points.length; i++) {
    const [px, py] = points[i] as XY
    if (i === 0) into.moveTo((px - x) * zoom, (py - y) * zoom)
    else into.lineTo((px - x) * zoom, (py - y) * zoom)
  }
  if (closed) into.closePath()
}

export function vertexHandles(points: readonly XY[], zoom: number): Handle[] {
  const box = boundsOf(points)
  const small = Math.max(box.w, box.h) * zoom < SMALL
  const middle = { x: box.x + box.w / 2, y: box.y + box.h / 2 }
  const shown: Handle[] = []
  let last: Vec | null = null
  for (let i = 0; i < points.length; i++) {
    const anchor = vec(points[i] as XY)
    const at = small ? outward(anchor, middle, OUTSET / zoom) : anchor
    if (last && distance(at, last) * zoom < CROWDED && i !== points.length - 1) continue
    last = at
    shown.push({ id: `v${i}`, role: 'vertex', anchor, at, cursor: 'move' })
  }
  return shown
}

function outward(p: Vec, from: Vec, by: number): Vec {
  const far = distance(p, from)
  if (far === 0) return { x: p.x, y: p.y - by }
  return { x: p.x + ((p.x - from.x) / far) * by, y: p.y + ((p.y - from.y) / far) * by }
}

/** The vertex a handle stands for; null for a foreign handle. */
export function vertexOf(handle: string): number | null {
  return /^v\d+$/.test(handle) ? Number(handle.slice(1)) : null
}

export function dragVertex<A extends Path>(a: A, handle: string, to: Vec): A {
  const index = vertexOf(handle)
  if (index === null || index >= a.points.length) return a
  return { ...a, points: a.points.map((p, i): XY => (i === index ? [to.x, to.y] : p)) }
}

export const movePath = <A extends Path>(a: A, dx: number, dy: number): A => ({
  ...a,
  points: movePoints(a.points, dx, dy),
})

export const resizePath = <A extends Path>(a: A, from: Rect, to: Rect): A => ({
  ...a,
  points: scalePoints(a.points, from, to),
})

export function sizePath<A extends Path>(a: A, size: Partial<Size>): A {
  const from = boundsOf(a.points)
  return resizePath(a, from, { ...from, w: size.w ?? from.w, h: size.h ?? from.h })
}

export const insertVertex = <A extends Path>(a: A, segment: number, at: Vec): A => ({
  ...a,
  points: [...a.points.slice(0, segment + 1), [at.x, at.y] as const, ...a.points.slice(segment + 1)],
})

export const removeVertex = <A extends Path>(a: A, index: number, least: number): A | null =>
  a.points.length <= least ? null : { ...a, points: a.points.filter((_, i) => i !== index) }

/** The vertex nearest to the eye's first look: the topmost. */
export function topmost(points: readonly XY[]): Vec {
  let best = points[0] as XY
  for (const p of points) if (p[1] < best[1]) best = p
  return vec(best)
}

/** Vertex by vertex; shapes with different numbers of vertices hold until the end. */
export function interpolatePath<A extends Path>(a: A, b: A, t: number): A {
  if (a.points.length !== b.points.length) return { ...a, points: t < 1 ? a.points : b.points }
  return {
    ...a,
    points: a.points.map(([x, y], i): XY => {
      const [bx, by] = b.points[i] as XY
      return [lerp(x, bx, t), lerp(y, by, t)]
    }),
  }
}

export function pathProblems(points: readonly XY[], limits: PathLimits | undefined): Phrase[] {
  const found: Phrase[] = []
  const { min_points: least, max_points: most } = limits ?? {}
  if (least !== undefined && points.length < least) {
    found.push({ key: 'image.problem.few_points', params: { least, count: points.length } })
  }
  if (most !== undefined && points.length > most) {
    found.push({ key: 'image.problem.many_points', params: { most, count: points.length } })
  }
  return found
}

export const tidyPath = <A extends Path>(a: A): A => ({ ...a, points: tidyPoints(a.points) })
