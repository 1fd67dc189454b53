/**
 * The medium. Small pictures are drawn as they are; from 2,048 pixels on the picture is cut down once to a base that is
 * always there, and finer tiles are made a few per frame for what is in view: a picture of 10,000 pixels stays smooth.
 */
import type { Camera } from '../../kernel/camera'
import type { Scope } from '../../kernel/scope'
import type { Rect, Size } from '../../kernel/vec'
import { pictureOf } from './ahead'

export type PictureProblem = 'fetch' | 'decode' | 'unknown' | 'size'

export interface PictureEvents {
  ready(): void
  /** Something finer can be drawn. */
  better(): void
  problem(code: PictureProblem, natural: Size | null): void
}

const BASE_px = 2048
const TILE_px = 512
const MOST_TILES = 96
/** Time a frame may spend on making tiles. */
const BUDGET_ms = 6
const STRIP_px = 256

type Source = HTMLImageElement | ImageBitmap

export class Picture {
  ready = false
  private source: Source | null = null
  /** Pixels of the source per pixel of the task. */
  private sx = 1
  private sy = 1
  private base: HTMLCanvasElement | null = null
  private baseScale = 1
  private readonly tiles = new Map<string, HTMLCanvasElement>()

  constructor(
    private readonly size: Size,
    private readonly scope: Scope,
    private readonly events: PictureEvents,
  ) {
    scope.add(() => this.release())
  }

  load(url: string): void {
    const image = pictureOf(url)
    let over = false
    this.scope.add(() => (over = true))
    // `complete` comes before it is told: one that was fetched ahead tells nothing any more
    const here = image.complete && image.naturalWidth > 0 ? Promise.resolve() : arrival(image, this.scope)
    here.then(
      () =>
        image.decode().then(
          () => over || this.take(image),
          () => over || this.events.problem('decode', null),
        ),
      () => void why(url).then((code) => over || this.events.problem(code, null)),
    )
  }

  private take(image: HTMLImageElement): void {
    const natural = { w: image.naturalWidth, h: image.naturalHeight }
    if (natural.w === 0 || natural.h === 0) {
      this.events.problem('decode', null)
      return
    }
    this.sx = natural.w / this.size.w
    this.sy = natural.h / this.size.h
    if (Math.abs(this.sx / this.sy - 1) > 0.01) this.events.problem('size', natural)
    const longest = Math.max(natural.w, natural.h)
    this.source = image
    if (longest <= BASE_px) {
      this.ready = true
      this.events.ready()
      return
    }
    // decoded pixels are kept: the browser's own cache drops large pictures and decodes them again at every draw
    createImageBitmap(image).then(
      (bitmap) => {
        if (this.scope.disposed) bitmap.close()
        else this.cut(bitmap, longest)
      },
      () => this.scope.disposed || this.cut(image, longest),
    )
  }

  /** Strip by strip, so that no frame waits for a whole large picture. */
  private cut(source: Source, longest: number): void {
    this.source = source
    const w = source.width
    const h = source.height
    const base = document.createElement('canvas')
    const scale = BASE_px / longest
    base.width = Math.max(1, Math.round(w * scale))
    base.height = Math.max(1, Math.round(h * scale))
    const context = base.getContext('2d', { alpha: false })
    if (!context) return
    context.imageSmoothingQuality = 'medium'
    this.base = base
    this.baseScale = scale
    let row = 0
    const strip = (): void => {
      const until = Math.min(row + STRIP_px, base.height)
      const top = row / base.height
      const part = (until - row) / base.height
      context.drawImage(source, 0, top * h, w, part * h, 0, row, base.width, until - row)
      row = until
      if (!this.ready) {
        this.ready = true
        this.events.ready()
      } else this.events.better()
      if (row < base.height) this.scope.timeout(strip, 0)
    }
    strip()
  }

  /** Draws what the camera sees; the context is in CSS pixels. Gives true when finer tiles are still to come. */
  draw(context: CanvasRenderingContext2D, camera: Camera, room: Size, dpr: number): boolean {
    if (!this.source || !this.ready) return false
    context.imageSmoothingEnabled = camera.zoom * dpr < 3
    context.imageSmoothingQuality = 'medium'
    const whole = this.base ?? this.source
    context.drawImage(whole, -camera.x * camera.zoom, -camera.y * camera.zoom, this.size.w * camera.zoom, this.size.h * camera.zoom)
    return this.base ? this.drawTiles(context, camera, room, dpr) : false
  }

  /** A part of the medium (media pixels) to a place on the canvas; for the loupe. */
  drawPart(context: CanvasRenderingContext2D, part: Rect, to: Rect): void {
    if (!this.source || !this.ready) return
    context.imageSmoothingEnabled = false
    context.drawImage(this.source, part.x * this.sx, part.y * this.sy, part.w * this.sx, part.h * this.sy, to.x, to.y, to.w, to.h)
  }

  private drawTiles(context: CanvasRenderingContext2D, camera: Camera, room: Size, dpr: number): boolean {
    // source pixels per device pixel decides how fine a tile must be
    const wanted = (camera.zoom * dpr) / this.sx
    if (wanted <= this.baseScale * 1.1) return false
    const level = Math.max(0, Math.floor(Math.log2(1 / Math.min(wanted, 1))))
    const span = TILE_px * 2 ** level
    const w = this.source?.width ?? 0
    const h = this.source?.height ?? 0
    const x0 = Math.max(0, Math.floor((camera.x * this.sx) / span))
    const y0 = Math.max(0, Math.floor((camera.y * this.sy) / span))
    const x1 = Math.min(Math.ceil(w / span), Math.ceil(((camera.x + room.w / camera.zoom) * this.sx) / span))
    const y1 = Math.min(Math.ceil(h / span), Math.ceil(((camera.y + room.h / camera.zoom) * this.sy) / span))
    const began = performance.now()
    let missing = false
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        const key = `${level}:${x}:${y}`
        let tile = this.tiles.get(key)
        if (!tile && performance.now() - began < BUDGET_ms) tile = this.makeTile(key, level, x * span, y * span, span, w, h)
        if (!tile) {
          missing = true
          continue
        }
        const left = ((x * span) / this.sx - camera.x) * camera.zoom
        const top = ((y * span) / this.sy - camera.y) * camera.zoom
        const wide = (tile.width * 2 ** level * camera.zoom) / this.sx
        const high = (tile.height * 2 ** level * camera.zoom) / this.sy
        context.drawImage(tile, left, top, wide, high)
        this.tiles.delete(key)
        this.tiles.set(key, tile)
      }
    }
    return missing
  }

  private makeTile(key: string, level: number, x: number, y: number, span: number, w: number, h: number): HTMLCanvasElement | undefined {
    if (!this.source) return undefined
    const tile = document.createElement('canvas')
    const wide = Math.min(span, w - x)
    const high = Math.min(span, h - y)
    tile.width = Math.max(1, Math.ceil(wide / 2 ** level))
    tile.height = Math.max(1, Math.ceil(high / 2 ** level))
    const context = tile.getContext('2d', { alpha: false })
    if (!context) return undefined
    context.imageSmoothingQuality = 'medium'
    context.drawImage(this.source, x, y, tile.width * 2 ** level, tile.height * 2 ** level, 0, 0, tile.width, tile.height)
    this.tiles.set(key, tile)
    if (this.tiles.size > MOST_TILES) {
      const oldest = this.tiles.keys().next().value
      if (oldest !== undefined) this.tiles.delete(oldest)
    }
    return tile
  }

  private release(): void {
    if (typeof ImageBitmap !== 'undefined' && this.source instanceof ImageBitmap) this.source.close()
    this.source = null
    this.base = null
    this.tiles.clear()
    this.ready = false
  }
}

function arrival(image: HTMLImageElement, scope: Scope): Promise<unknown> {
  return new Promise((resolve, reject) => {
    scope.listen(image, 'load', resolve)
    scope.listen(image, 'error', reject)
  })
}

/** An <img> does not say why it failed; a second request may. */
async function why(url: string): Promise<PictureProblem> {
  if (navigator.onLine === false) return 'fetch'
  try {
    const reply = await fetch(url, { mode: 'no-cors', cache: 'force-cache' })
    if (reply.type === 'opaque') return 'unknown'
    return reply.ok ? 'decode' : 'fetch'
  } catch {
    return 'unknown'
  }
}
