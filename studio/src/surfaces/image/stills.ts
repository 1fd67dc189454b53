/**
 * The cached layer: every shape that does not move. Drawn whole when the camera moves, and in parts when a few shapes
 * change, so that taking one of 5,000 shapes in hand costs as much as drawing its neighbourhood.
 */
import { isSpatial, kindOf } from '../../kinds/list'
import type { ClassStyle } from '../../kinds/palette'
import { type Camera, viewOf } from '../../kernel/camera'
import type { Scene } from '../../kernel/scene'
import { type Rect, type Size, grow, union } from '../../kernel/vec'
import type { Annotation, SpatialAnnotation } from '../../model/types'
import { type Tag, TAG_H, Tags } from './tags'

export interface Look {
  styleOf(className: string): ClassStyle
  titleOf(className: string): string
  visible(a: Annotation): boolean
}

/** Outline on screen, pixels: a dark casing under the colour keeps it visible on any picture. */
const LINE = 1.5
const CASING = 3.5
const CASING_COLOR = 'rgba(0,0,0,0.55)'
const FILL_ALPHA = 0.12
/** Shapes smaller than this on screen are dots. */
const DOT = 3
/** More parts than this and the whole is cheaper. */
const MOST_PARTS = 48
/** Tags: names while few shapes are in view, numbers while not too many, none beyond. */
const NAMES_UNTIL = 160
const NUMBERS_UNTIL = 1_200
const TAG_FROM = 22
const HEAVY = 1_000

type Tagging = 'names' | 'numbers' | 'none'

export class Stills {
  readonly tags = new Tags()
  private scene: Scene<Annotation> | null = null
  private camera: Camera | null = null
  private lifted: ReadonlySet<string> = new Set()
  private tagging: Tagging = 'names'
  private whole = true
  private painted = 0

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly look: Look,
  ) {}

  /** So many shapes in view that drawing them all takes longer than a frame. */
  get heavy(): boolean {
    return this.painted > HEAVY
  }

  /** The CSS transform that takes the last drawing to where another camera would have it. */
  towards(camera: Camera): string {
    const from = this.camera
    if (!from) return ''
    const scale = camera.zoom / from.zoom
    return `matrix(${scale}, 0, 0, ${scale}, ${(from.x - camera.x) * camera.zoom}, ${(from.y - camera.y) * camera.zoom})`
  }

  /** Other fonts, other pixels. True when tags are in sight and must be drawn anew. */
  retag(dpr: number): boolean {
    this.tags.reset(dpr)
    if (this.tagging !== 'none') this.whole = true
    return this.tagging !== 'none'
  }

  /** Everything is drawn anew at the next chance. */
  invalidate(): void {
    this.whole = true
  }

  /** `changed`: ids that differ from the last scene given; `lifted`: shapes the live layer draws instead. */
  draw(scene: Scene<Annotation>, camera: Camera, room: Size, changed: ReadonlySet<string>, lifted: ReadonlySet<string>): void {
    const before = this.scene
    const moved = this.camera !== camera
    const parts = new Set(changed)
    for (const id of lifted) if (!this.lifted.has(id)) parts.add(id)
    for (const id of this.lifted) if (!lifted.has(id)) parts.add(id)
    this.scene = scene
    this.camera = camera
    this.lifted = lifted
    if (this.whole || moved || !before || parts.size > MOST_PARTS) this.drawWhole(scene, camera, room)
    else if (parts.size > 0) this.drawParts(before, scene, camera, room, parts)
    this.whole = false
  }

  private drawWhole(scene: Scene<Annotation>, camera: Camera, room: Size): void {
    this.context.clearRect(0, 0, room.w, room.h)
    const shapes = this.shapesIn(scene, grow(viewOf(camera, room), 8 / camera.zoom))
    const large = shapes.filter((a) => this.deservesTag(a, camera)).length
    this.tagging = large <= NAMES_UNTIL ? 'names' : large <= NUMBERS_UNTIL ? 'numbers' : 'none'
    this.painted = shapes.length
    this.paint(shapes, camera)
  }

  private drawParts(before: Scene<Annotation>, now: Scene<Annotation>, camera: Camera, room: Size, ids: ReadonlySet<string>): void {
    for (const id of ids) {
      let area: Rect | null = null
      for (const scene of [before, now]) {
        const a = scene.find(id)
        if (!a || !isSpatial(a)) continue
        const own = this.footprint(a, camera)
        area = area ? union(area, own) : own
      }
      if (area) this.drawPart(now, camera, room, area)
    }
  }

  /** Screen pixels that a shape and its tag may touch, aligned to whole pixels so that no seam shows. */
  private footprint(a: SpatialAnnotation, camera: Camera): Rect {
    const kind = kindOf(a)
    const b = kind.bounds(a)
    const at = kind.labelAt(a)
    const shape = grow({ x: (b.x - camera.x) * camera.zoom, y: (b.y - camera.y) * camera.zoom, w: b.w * camera.zoom, h: b.h * camera.zoom }, 12)
    const tag = { x: (at.x - camera.x) * camera.zoom - 2, y: (at.y - camera.y) * camera.zoom - TAG_H - 4, w: 240, h: TAG_H + 6 }
    const r = this.tagging === 'none' ? shape : union(shape, tag)
    const x = Math.floor(r.x)
    const y = Math.floor(r.y)
    return { x, y, w: Math.ceil(r.x + r.w) - x, h: Math.ceil(r.y + r.h) - y }
  }

  private drawPart(scene: Scene<Annotation>, camera: Camera, room: Size, area: Rect): void {
    const { context } = this
    const x0 = Math.max(area.x, 0)
    const y0 = Math.max(area.y, 0)
    const x1 = Math.min(area.x + area.w, room.w)
    const y1 = Math.min(area.y + area.h, room.h)
    if (x1 <= x0 || y1 <= y0) return
    // tags hang to the right of and above their shapes: those of neighbours to the left and below may reach in
    const left = this.tagging === 'none' ? 12 : 250
    const below = this.tagging === 'none' ? 12 : TAG_H + 14
    const near: Rect = {
      x: camera.x + (x0 - left) / camera.zoom,
      y: camera.y + (y0 - 12) / camera.zoom,
      w: (x1 - x0 + left + 12) / camera.zoom,
      h: (y1 - y0 + 12 + below) / camera.zoom,
    }
    context.save()
    context.beginPath()
    context.rect(x0, y0, x1 - x0, y1 - y0)
    context.clip()
    context.clearRect(x0, y0, x1 - x0, y1 - y0)
    this.paint(this.shapesIn(scene, near), camera)
    context.restore()
  }

  private shapesIn(scene: Scene<Annotation>, area: Rect): SpatialAnnotation[] {
    const found: SpatialAnnotation[] = []
    for (const a of scene.search(area)) {
      if (isSpatial(a) && !this.lifted.has(a.id) && this.look.visible(a)) found.push(a)
    }
    return found
  }

  private deservesTag(a: SpatialAnnotation, camera: Camera): boolean {
    const b = kindOf(a).bounds(a)
    return a.kind === 'point' || Math.max(b.w, b.h) * camera.zoom >= TAG_FROM
  }

  /** Class by class: a change of colour costs more than a line. */
  private paint(shapes: readonly SpatialAnnotation[], camera: Camera): void {
    const classes = new Map<string, SpatialAnnotation[]>()
    for (const a of shapes) {
      const group = classes.get(a.class)
      if (group) group.push(a)
      else classes.set(a.class, [a])
    }
    for (const [name, group] of classes) paintFills(this.context, group, this.look.styleOf(name).color, camera)
    this.context.strokeStyle = CASING_COLOR
    this.context.lineWidth = CASING
    for (const group of classes.values()) strokeAll(this.context, group, camera)
    this.context.lineWidth = LINE
    for (const [name, group] of classes) {
      const style = this.look.styleOf(name)
      this.context.strokeStyle = style.color
      this.context.setLineDash(style.dash as number[])
      strokeAll(this.context, group, camera)
    }
    this.context.setLineDash([])
    if (this.tagging !== 'none') for (const a of shapes) if (this.deservesTag(a, camera)) this.paintTag(a, camera)
  }

  private paintTag(a: SpatialAnnotation, camera: Camera): void {
    const tag = this.tags.of(this.look.titleOf(a.class), this.look.styleOf(a.class), this.tagging === 'names')
    drawTag(this.context, a, tag, camera)
  }
}

export function drawTag(context: CanvasRenderingContext2D, a: SpatialAnnotation, tag: Tag, camera: Camera): void {
  if (tag.w === 0) return
  const at = kindOf(a).labelAt(a)
  const x = Math.round((at.x - camera.x) * camera.zoom) + (a.kind === 'point' ? 8 : -1)
  const y = Math.round((at.y - camera.y) * camera.zoom) - TAG_H - (a.kind === 'point' ? 4 : 1)
  // at the top edge the tag moves inside the shape
  context.drawImage(tag.image, x, y < 0 && y > -TAG_H - 2 ? y + TAG_H + 2 : y, tag.w, TAG_H)
}

const straight = (a: SpatialAnnotation): boolean => a.kind === 'box' && (a.angle_rad ?? 0) === 0

function paintFills(context: CanvasRenderingContext2D, shapes: readonly SpatialAnnotation[], color: string, camera: Camera): void {
  context.fillStyle = color
  context.globalAlpha = FILL_ALPHA
  const { x, y, zoom } = camera
  for (const a of shapes) {
    if (!kindOf(a).area) continue
    if (straight(a) && a.kind === 'box') context.fillRect((a.x - x) * zoom, (a.y - y) * zoom, a.w * zoom, a.h * zoom)
    else {
      context.beginPath()
      kindOf(a).trace(a, context, camera)
      context.fill('evenodd')
    }
  }
  context.globalAlpha = 1
}

function strokeAll(context: CanvasRenderingContext2D, shapes: readonly SpatialAnnotation[], camera: Camera): void {
  const { x, y, zoom } = camera
  for (const a of shapes) {
    if (straight(a) && a.kind === 'box') {
      const w = a.w * zoom
      const h = a.h * zoom
      if (w < DOT && h < DOT) context.strokeRect((a.x - x) * zoom + w / 2 - 1, (a.y - y) * zoom + h / 2 - 1, 2, 2)
      else context.strokeRect((a.x - x) * zoom, (a.y - y) * zoom, w, h)
    } else {
      context.beginPath()
      kindOf(a).trace(a, context, camera)
      context.stroke()
    }
  }
}
