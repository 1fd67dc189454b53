import { boundsOf, nearestOnPath, pathLength, pathMeetsRect, vec } from '../kernel/vec'
import type { LineAnnotation, XY } from '../model/types'
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

/** An open path: a lane, a cable, an edge. */
export const line: SpatialKind<LineAnnotation> = {
  kind: 'line',
  area: false,
  bounds: (a) => boundsOf(a.points),
  hit: (a, p, near) => nearestOnPath(a.points, false, p).distance <= near,
  extent: (a) => pathLength(a.points),
  overlaps: (a, rect) => pathMeetsRect(a.points, false, rect),
  outline: (a) => a.points,
  inside: (a) => vec(a.points[0] as XY),
  handles: (a, zoom) => vertexHandles(a.points, zoom),
  drag: (a, handle, to) => dragVertex(a, handle, to),
  move: movePath,
  resize: resizePath,
  setSize: sizePath,
  path: { closed: false, least: 2, insert: insertVertex, remove: (a, index) => removeVertex(a, index, 2) },
  trace: (a, into, camera) => tracePath(a.points, false, into, camera),
  labelAt: (a) => topmost(a.points),
  interpolate: interpolatePath,
  problems: (a, limits) => pathProblems(a.points, limits.line),
  size: (a) => ({
    key: 'image.size.line',
    params: { count: a.points.length, length: Math.round(pathLength(a.points)) },
  }),
  tidy: tidyPath,
}
