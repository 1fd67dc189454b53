/** The live layer: what is selected, moving, hovered or about to be. Small, and drawn anew every frame it changes. */
import { isSpatial, kindOf } from '../../kinds/list'
import type { ClassStyle } from '../../kinds/palette'
import { vertexOf } from '../../kinds/path'
import { type Camera, toScreen, viewOf } from '../../kernel/camera'
import { type Size, type Vec, contains, encloses, grow, meets, unionAll, vec } from '../../kernel/vec'
import type { SpatialAnnotation, XY } from '../../model/types'
import type { Board } from './board'
import type { Picture } from './picture'
import { type Look, drawTag } from './stills'
import type { Tags } from './tags'
import { handlesOf, soleSelected } from './tools/select'
import { kindDrawn } from './tools/list'

export interface LiveInput {
  readonly board: Board
  readonly look: Look
  readonly tags: Tags
  readonly picture: Picture
  readonly camera: Camera
  readonly room: Size
  /** Where the pointer or the keyboard cursor is, media pixels; null = elsewhere. */
  readonly pointer: Vec | null
  readonly byKeyboard: boolean
  readonly held: boolean
  readonly accent: string
}

/** More selected shapes than this are outlined without casing and tags. */
const MANY = 300
const HANDLE = 8
const LOUPE_R = 60
/** The loupe helps only where the picture is shown smaller than it is. */
const LOUPE_BELOW = 0.75
const INK = 'rgba(0,0,0,0.75)'

export function drawLive(context: CanvasRenderingContext2D, input: LiveInput): void {
  const { board, room } = input
  context.clearRect(0, 0, room.w, room.h)
  const { preview } = board
  drawGuides(context, input)
  drawSelected(context, input)
  const hovered = preview.hover ?? board.hover
  if (hovered !== null && hovered !== undefined && !board.selection.has(hovered)) drawHover(context, input, hovered)
  for (const ghost of preview.ghosts ?? []) drawShape(context, input, ghost, board.scene.has(ghost.id))
  drawPath(context, input)
  drawHandles(context, input)
  if (preview.insert) plus(context, toScreen(input.camera, preview.insert), input.accent)
  if (preview.marquee) {
    const at = toScreen(input.camera, preview.marquee)
    const w = preview.marquee.w * input.camera.zoom
    const h = preview.marquee.h * input.camera.zoom
    context.fillStyle = 'rgba(120,150,255,0.15)'
    context.fillRect(at.x, at.y, w, h)
    twice(context, input.accent, 1, () => context.strokeRect(at.x, at.y, w, h))
  }
  drawCrosshair(context, input)
  drawLoupe(context, input)
}

/** Dark under light: visible on every picture. */
function twice(context: CanvasRenderingContext2D, color: string, width: number, stroke: () => void): void {
  context.strokeStyle = INK
  context.lineWidth = width + 2
  stroke()
  context.strokeStyle = color
  context.lineWidth = width
  stroke()
}

function outline(context: CanvasRenderingContext2D, a: SpatialAnnotation, camera: Camera): void {
  context.beginPath()
  kindOf(a).trace(a, context, camera)
}

function drawSelected(context: CanvasRenderingContext2D, input: LiveInput): void {
  const { board, camera, room } = input
  const ghosts = new Set((board.preview.ghosts ?? []).map((g) => g.id))
  const view = grow(viewOf(camera, room), 8 / camera.zoom)
  const { shift } = board.preview
  const ids = shift ? shift.ids : board.selection
  const shapes: SpatialAnnotation[] = []
  for (const id of ids) {
    if (ghosts.has(id)) continue
    const a = board.scene.find(id)
    if (!a || !isSpatial(a) || !board.visible(a)) continue
    const kind = kindOf(a)
    const b = kind.bounds(a)
    const moved = shift ? { ...b, x: b.x + shift.dx, y: b.y + shift.dy } : b
    if (meets(view, moved)) shapes.push(a)
  }
  const place = shift ? { ...camera, x: camera.x - shift.dx, y: camera.y - shift.dy } : camera
  if (shapes.length > MANY) {
    context.strokeStyle = '#ffffff'
    context.lineWidth = 2
    context.beginPath()
    for (const a of shapes) kindOf(a).trace(a, context, place)
    context.stroke()
    return
  }
  for (const a of shapes) drawShape(context, { ...input, camera: place }, a, shapes.length <= 40)
}

function drawShape(context: CanvasRenderingContext2D, input: LiveInput, a: SpatialAnnotation, tagged: boolean): void {
  const style = input.look.styleOf(a.class)
  outline(context, a, input.camera)
  if (kindOf(a).area) {
    context.fillStyle = style.color
    context.globalAlpha = 0.2
    context.fill('evenodd')
    context.globalAlpha = 1
  }
  // thin enough to judge an edge by: a shape in the making has no white band
  const settled = input.board.scene.has(a.id)
  context.strokeStyle = INK
  context.lineWidth = settled ? 5 : 3.5
  context.stroke()
  if (settled) {
    context.strokeStyle = '#ffffff'
    context.lineWidth = 3.5
    context.stroke()
  }
  dashed(context, style, () => {
    context.strokeStyle = style.color
    context.lineWidth = 1.5
    context.stroke()
  })
  if (tagged && a.class !== '') drawTag(context, a, input.tags.of(input.look.titleOf(a.class), style, true), input.camera)
}

function dashed(context: CanvasRenderingContext2D, style: ClassStyle, draw: () => void): void {
  if (style.dash.length === 0) return draw()
  context.setLineDash(style.dash as number[])
  draw()
  context.setLineDash([])
}

function drawHover(context: CanvasRenderingContext2D, input: LiveInput, id: string): void {
  const a = input.board.scene.find(id)
  if (!a || !isSpatial(a) || !input.board.visible(a)) return
  const style = input.look.styleOf(a.class)
  outline(context, a, input.camera)
  context.strokeStyle = '#ffffff'
  context.lineWidth = 3.5
  context.stroke()
  context.strokeStyle = style.color
  context.lineWidth = 2
  context.stroke()
  drawTag(context, a, input.tags.of(input.look.titleOf(a.class), style, true), input.camera)
}

// ---- handles ----

function drawHandles(context: CanvasRenderingContext2D, input: LiveInput): void {
  const { board, camera, room } = input
  if (board.readOnly || board.preview.shift || board.preview.path) return
  const ghost = board.preview.ghosts?.length === 1 ? board.preview.ghosts[0] : undefined
  const sole = soleSelected(board.context)
  const a = ghost && board.selection.has(ghost.id) ? ghost : ghost ? null : sole
  if (!a) return
  const drawing = kindDrawn(board.tool)
  if (drawing !== null && drawing !== 'box') return
  const view = grow(viewOf(camera, room), 20 / camera.zoom)
  for (const handle of handlesOf(a, board.context)) {
    if (!contains(view, handle.at)) continue
    const at = toScreen(camera, handle.at)
    if (handle.role === 'rotate') knob(context, at, toScreen(camera, topOf(a)), input.accent)
    else if (handle.role === 'vertex') dot(context, at, vertexOf(handle.id) === board.vertex, input.accent)
    else square(context, at, input.accent)
  }
}

/** Where the knob's stem begins: the middle of the box's upper side. */
function topOf(a: SpatialAnnotation): Vec {
  const ring = kindOf(a).outline(a)
  const first = vec(ring[0] as XY)
  const second = vec((ring[1] ?? ring[0]) as XY)
  return { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 }
}

function square(context: CanvasRenderingContext2D, at: Vec, accent: string): void {
  context.fillStyle = '#ffffff'
  context.fillRect(at.x - HANDLE / 2, at.y - HANDLE / 2, HANDLE, HANDLE)
  context.strokeStyle = accent
  context.lineWidth = 1.5
  context.strokeRect(at.x - HANDLE / 2, at.y - HANDLE / 2, HANDLE, HANDLE)
}

function dot(context: CanvasRenderingContext2D, at: Vec, chosen: boolean, accent: string): void {
  context.beginPath()
  context.arc(at.x, at.y, chosen ? 5.5 : 4, 0, 2 * Math.PI)
  context.fillStyle = chosen ? accent : '#ffffff'
  context.fill()
  context.strokeStyle = chosen ? '#ffffff' : accent
  context.lineWidth = 1.5
  context.stroke()
}

function knob(context: CanvasRenderingContext2D, at: Vec, from: Vec, accent: string): void {
  twice(context, '#ffffff', 1.5, () => {
    context.beginPath()
    context.moveTo(from.x, from.y)
    context.lineTo(at.x, at.y)
    context.stroke()
  })
  context.beginPath()
  context.arc(at.x, at.y, 6, 0, 2 * Math.PI)
  context.fillStyle = accent
  context.fill()
  context.strokeStyle = '#ffffff'
  context.lineWidth = 2
  context.stroke()
}

function plus(context: CanvasRenderingContext2D, at: Vec, accent: string): void {
  dot(context, at, true, accent)
  context.strokeStyle = '#ffffff'
  context.lineWidth = 1.5
  context.beginPath()
  context.moveTo(at.x - 3, at.y)
  context.lineTo(at.x + 3, at.y)
  context.moveTo(at.x, at.y - 3)
  context.lineTo(at.x, at.y + 3)
  context.stroke()
}

// ---- paths in the making ----

function drawPath(context: CanvasRenderingContext2D, input: LiveInput): void {
  const { board, camera } = input
  const { path, snapped } = board.preview
  if (path) {
    const style = input.look.styleOf(path.class)
    const points = path.points.map((p) => toScreen(camera, vec(p)))
    const end = path.end ? toScreen(camera, path.end) : null
    const all = end && !path.closing ? [...points, end] : points
    context.beginPath()
    all.forEach((p, i) => (i === 0 ? context.moveTo(p.x, p.y) : context.lineTo(p.x, p.y)))
    if (path.closing) context.closePath()
    if (path.closed && all.length > 2) {
      context.fillStyle = style.color
      context.globalAlpha = 0.18
      context.fill('evenodd')
      context.globalAlpha = 1
    }
    twice(context, style.color, 2, () => context.stroke())
    points.forEach((p, i) => dot(context, p, i === 0 && path.closing, input.accent))
  }
  if (snapped) {
    const at = toScreen(camera, snapped)
    context.beginPath()
    context.arc(at.x, at.y, 7, 0, 2 * Math.PI)
    twice(context, input.accent, 1.5, () => context.stroke())
  }
}

function drawGuides(context: CanvasRenderingContext2D, input: LiveInput): void {
  const { board, camera, room } = input
  context.strokeStyle = input.accent
  context.lineWidth = 1
  context.beginPath()
  for (const guide of board.preview.guides ?? []) {
    const at = Math.round((guide.at - (guide.axis === 'x' ? camera.x : camera.y)) * camera.zoom) + 0.5
    if (guide.axis === 'x') {
      context.moveTo(at, 0)
      context.lineTo(at, room.h)
    } else {
      context.moveTo(0, at)
      context.lineTo(room.w, at)
    }
  }
  context.stroke()
}

// ---- crosshair and loupe ----

function inPicture(p: Vec, board: Board): boolean {
  return encloses({ x: 0, y: 0, w: board.size.w, h: board.size.h }, { x: p.x, y: p.y, w: 0, h: 0 })
}

function drawCrosshair(context: CanvasRenderingContext2D, input: LiveInput): void {
  const { board, camera, pointer, room } = input
  const drawing = kindDrawn(board.tool) !== null
  if (!pointer || !(drawing || input.byKeyboard)) return
  const at = toScreen(camera, pointer)
  if (drawing && board.cursor === 'crosshair') {
    const x = Math.round(at.x) + 0.5
    const y = Math.round(at.y) + 0.5
    const gap = 8
    const lines = (): void => {
      context.beginPath()
      for (const [from, to] of [[0, x - gap], [x + gap, room.w]] as const) {
        context.moveTo(from, y)
        context.lineTo(to, y)
      }
      for (const [from, to] of [[0, y - gap], [y + gap, room.h]] as const) {
        context.moveTo(x, from)
        context.lineTo(x, to)
      }
      context.stroke()
    }
    context.strokeStyle = 'rgba(0,0,0,0.45)'
    context.lineWidth = 3
    lines()
    context.strokeStyle = 'rgba(255,255,255,0.9)'
    context.lineWidth = 1
    lines()
  }
  if (input.byKeyboard) {
    context.beginPath()
    context.arc(at.x, at.y, 9, 0, 2 * Math.PI)
    context.moveTo(at.x - 4, at.y)
    context.lineTo(at.x + 4, at.y)
    context.moveTo(at.x, at.y - 4)
    context.lineTo(at.x, at.y + 4)
    twice(context, '#ffffff', 2, () => context.stroke())
  }
  if (inPicture(pointer, board)) note(context, noteText(input, pointer), at, room)
}

function noteText(input: LiveInput, pointer: Vec): string {
  const ghosts = input.board.preview.ghosts ?? []
  const b = ghosts.length > 0 ? unionAll(ghosts.map((g) => kindOf(g).bounds(g))) : null
  const place = `${Math.round(pointer.x)}, ${Math.round(pointer.y)}`
  return b && b.w > 0 ? `${place}   ${Math.round(b.w)} × ${Math.round(b.h)}` : place
}

function note(context: CanvasRenderingContext2D, text: string, at: Vec, room: Size): void {
  context.font = '500 11px "Inter Variable", system-ui, sans-serif'
  const w = context.measureText(text).width + 10
  const x = at.x + 14 + w > room.w ? at.x - 14 - w : at.x + 14
  const y = at.y + 14 + 18 > room.h ? at.y - 32 : at.y + 14
  context.fillStyle = 'rgba(16,17,19,0.82)'
  context.beginPath()
  context.roundRect(Math.round(x), Math.round(y), w, 18, 4)
  context.fill()
  context.fillStyle = '#ffffff'
  context.textBaseline = 'middle'
  context.fillText(text, Math.round(x) + 5, Math.round(y) + 9.5)
}

/** A round glass beside the pointer, while something is being drawn or pulled on a picture that is shown small. */
function drawLoupe(context: CanvasRenderingContext2D, input: LiveInput): void {
  const { board, camera, pointer, room } = input
  if (!pointer || camera.zoom >= LOUPE_BELOW || !(input.held || board.busy) || board.preview.marquee || board.preview.shift) return
  if (!board.busy || !inPicture(pointer, board)) return
  const at = toScreen(camera, pointer)
  const zoom = Math.max(camera.zoom * 4, Math.min(2, camera.zoom * 8))
  const x = at.x + LOUPE_R + 28 + LOUPE_R > room.w ? at.x - LOUPE_R - 28 : at.x + LOUPE_R + 28
  const y = at.y - LOUPE_R - 28 - LOUPE_R < 0 ? at.y + LOUPE_R + 40 : at.y - LOUPE_R - 28
  const reach = LOUPE_R / zoom
  context.save()
  context.beginPath()
  context.arc(x, y, LOUPE_R, 0, 2 * Math.PI)
  context.clip()
  context.fillStyle = '#777777'
  context.fillRect(x - LOUPE_R, y - LOUPE_R, 2 * LOUPE_R, 2 * LOUPE_R)
  input.picture.drawPart(context, { x: pointer.x - reach, y: pointer.y - reach, w: 2 * reach, h: 2 * reach }, { x: x - LOUPE_R, y: y - LOUPE_R, w: 2 * LOUPE_R, h: 2 * LOUPE_R })
  const inner: Camera = { zoom, x: pointer.x - x / zoom, y: pointer.y - y / zoom }
  for (const ghost of board.preview.ghosts ?? []) {
    outline(context, ghost, inner)
    twice(context, input.look.styleOf(ghost.class).color, 1.5, () => context.stroke())
  }
  context.beginPath()
  context.moveTo(x - LOUPE_R, y)
  context.lineTo(x + LOUPE_R, y)
  context.moveTo(x, y - LOUPE_R)
  context.lineTo(x, y + LOUPE_R)
  context.strokeStyle = 'rgba(255,255,255,0.8)'
  context.lineWidth = 1
  context.stroke()
  context.restore()
  context.beginPath()
  context.arc(x, y, LOUPE_R, 0, 2 * Math.PI)
  twice(context, '#ffffff', 2, () => context.stroke())
}
