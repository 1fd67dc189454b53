/**
 * What a spatial kind knows about itself. One file per kind, one line in list.ts, and the laws in list.test.ts.
 * Everything is in media pixels; `zoom` is screen pixels per media pixel, so that handles keep their size on screen.
 */
import type { Camera } from '../kernel/camera'
import type { Rect, Size, Vec } from '../kernel/vec'
import type { Limits, SpatialAnnotation, XY } from '../model/types'

export type HandleRole = 'corner' | 'edge' | 'vertex' | 'rotate'

export interface Handle {
  readonly id: string
  readonly role: HandleRole
  /** The true place on the shape, which the drag moves. */
  readonly anchor: Vec
  /** Where it is shown: moved outward so that it never covers a small object. */
  readonly at: Vec
  readonly cursor: string
}

export interface DragOptions {
  /** Keep the ratio of width and height; rotate in steps of 15 degrees. */
  readonly keep: boolean
}

/** A sentence of the catalogue with its numbers. */
export interface Phrase {
  readonly key: string
  readonly params: Readonly<Record<string, string | number>>
}

/** The part of a canvas context that tracing a path needs; Path2D fits as well. */
export interface PathSink {
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
  closePath(): void
  rect(x: number, y: number, w: number, h: number): void
  arc(x: number, y: number, radius: number, from: number, to: number): void
}

export interface SpatialKind<A extends SpatialAnnotation> {
  readonly kind: A['kind']
  /** Has an inside that is filled. */
  readonly area: boolean
  bounds(a: A): Rect
  /** Is p on the shape, or within `near` media pixels of its outline? */
  hit(a: A, p: Vec, near: number): boolean
  /** For "the smallest under the pointer wins". */
  extent(a: A): number
  /** Does it share a point with the rectangle (marquee)? */
  overlaps(a: A, rect: Rect): boolean
  /** The vertices of its outline as they are on the image, in order. */
  outline(a: A): readonly XY[]
  /** A place that surely belongs to it. */
  inside(a: A): Vec
  handles(a: A, zoom: number): readonly Handle[]
  /** The shape with one handle's anchor taken to a place. Always from the shape as it was when the drag began. */
  drag(a: A, handle: string, to: Vec, options: DragOptions): A
  move(a: A, dx: number, dy: number): A
  /** Scales with a group: what filled `from` fills `to`. */
  resize(a: A, from: Rect, to: Rect): A
  /** Width and height by number; the top left (of the unrotated shape) stays. */
  setSize(a: A, size: Partial<Size>): A
  /** Vertices, for the kinds that have them. */
  readonly path?: {
    readonly closed: boolean
    readonly least: number
    insert(a: A, segment: number, at: Vec): A
    /** null when too few would be left. */
    remove(a: A, index: number): A | null
  }
  /** Adds the outline to the current path, in screen pixels. */
  trace(a: A, into: PathSink, camera: Camera): void
  /** Where its label hangs: the label's bottom left. */
  labelAt(a: A): Vec
  interpolate(a: A, b: A, t: number): A
  /** What the project's limits do not allow. */
  problems(a: A, limits: Limits): readonly Phrase[]
  size(a: A): Phrase
  /** Coordinates rounded to 1/100 pixel. */
  tidy(a: A): A
}

export const round2 = (n: number): number => Math.round(n * 100) / 100

export const movePoints = (points: readonly XY[], dx: number, dy: number): XY[] =>
  points.map(([x, y]) => [x + dx, y + dy])

export const scalePoints = (points: readonly XY[], from: Rect, to: Rect): XY[] => {
  const sx = from.w === 0 ? 1 : to.w / from.w
  const sy = from.h === 0 ? 1 : to.h / from.h
  return points.map(([x, y]) => [to.x + (x - from.x) * sx, to.y + (y - from.y) * sy])
}

export const tidyPoints = (points: readonly XY[]): XY[] => points.map(([x, y]) => [round2(x), round2(y)])

/** Below this many screen pixels a shape is small: its handles step outside. */
export const SMALL = 40
/** How far outside, screen pixels. */
export const OUTSET = 9
