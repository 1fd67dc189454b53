import { contains, distance, lerp } from '../kernel/vec'
import type { PointAnnotation } from '../model/types'
import { type SpatialKind, round2 } from './kind'

/** Radius on screen: a point has no size of its own. */
const RADIUS = 5

/** A place. Drawn as a ring with a cross, so that the place itself stays visible. */
export const point: SpatialKind<PointAnnotation> = {
  kind: 'point',
  area: false,
  bounds: (a) => ({ x: a.x, y: a.y, w: 0, h: 0 }),
  hit: (a, p, near) => distance(a, p) <= near,
  extent: () => 0,
  overlaps: (a, rect) => contains(rect, a),
  outline: (a) => [[a.x, a.y]],
  inside: (a) => ({ x: a.x, y: a.y }),
  handles: () => [],
  drag: (a) => a,
  move: (a, dx, dy) => ({ ...a, x: a.x + dx, y: a.y + dy }),
  resize: (a, from, to) => ({
    ...a,
    x: to.x + (from.w === 0 ? 0 : ((a.x - from.x) * to.w) / from.w),
    y: to.y + (from.h === 0 ? 0 : ((a.y - from.y) * to.h) / from.h),
  }),
  setSize: (a) => a,
  trace: (a, into, camera) => {
    const x = (a.x - camera.x) * camera.zoom
    const y = (a.y - camera.y) * camera.zoom
    into.moveTo(x + RADIUS, y)
    into.arc(x, y, RADIUS, 0, 2 * Math.PI)
    for (const [dx, dy] of [
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, -1],
    ] as const) {
      into.moveTo(x + dx * 2, y + dy * 2)
      into.lineTo(x + dx * (RADIUS + 4), y + dy * (RADIUS + 4))
    }
  },
  labelAt: (a) => ({ x: a.x, y: a.y }),
  interpolate: (a, b, t) => ({ ...a, x: lerp(a.x, b.x, t), y: lerp(a.y, b.y, t) }),
  problems: () => [],
  size: (a) => ({ key: 'image.size.point', params: { x: Math.round(a.x), y: Math.round(a.y) } }),
  tidy: (a) => ({ ...a, x: round2(a.x), y: round2(a.y) }),
}
