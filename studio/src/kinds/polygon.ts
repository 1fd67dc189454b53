import {
  boundsOf,
  contains,
  grow,
  insidePolygon,
  nearestOnPath,
  pathMeetsRect,
  pointInPolygon,
  polygonArea,
} from '../kernel/vec'
import type { PolygonAnnotation } from '../model/types'
import type { SpatialKind } from './kind'
import {
  dragVertex,
  insertVertex,
  interpolatePath,
  movePath,
  pathProblems,
  removeVertex,
  resizePath,
  sizePath,
  tidyPath,
  topmost,
  tracePath,
  vertexHandles,
} from './path'

/** A closed area; may cross itself, filled even-odd. */
export const polygon: SpatialKind<PolygonAnnotation> = {
  kind: 'polygon',
  area: true,
  bounds: (a) => boundsOf(a.points),
  hit: (a, p, near) =>
    contains(grow(boundsOf(a.points), near), p) &&
    (insidePolygon(a.points, p) || nearestOnPath(a.points, true, p).distance <= near),
  extent: (a) => polygonArea(a.points),
  overlaps: (a, rect) => pathMeetsRect(a.points, true, rect),
  outline: (a) => a.points,
  inside: (a) => pointInPolygon(a.points),
  handles: (a, zoom) => vertexHandles(a.points, zoom),
  drag: (a, handle, to) => dragVertex(a, handle, to),
  move: movePath,
  resize: resizePath,
  setSize: sizePath,
  path: { closed: true, least: 3, insert: insertVertex, remove: (a, index) => removeVertex(a, index, 3) },
  trace: (a, into, camera) => tracePath(a.points, true, into, camera),
  labelAt: (a) => topmost(a.points),
  interpolate: interpolatePath,
  problems: (a, limits) => pathProblems(a.points, limits.polygon),
  size: (a) => ({
    key: 'image.size.polygon',
    params: { count: a.points.length, area: Math.round(polygonArea(a.points)) },
  }),
  tidy: tidyPath,
}
