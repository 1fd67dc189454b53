/**
 * Where we look: (x, y) is the media point at the screen's top left, zoom is screen pixels per media pixel. Screen pixels
 * are CSS pixels. Camera moves are not edits.
 */
import { type Rect, type Size, type Vec, clamp } from './vec'

export interface Camera {
  readonly x: number
  readonly y: number
  readonly zoom: number
}

export const MAX_ZOOM = 64
/** How much of the medium always stays on screen, CSS pixels. */
const KEEP = 48

export const toMedia = (c: Camera, p: Vec): Vec => ({ x: p.x / c.zoom + c.x, y: p.y / c.zoom + c.y })
export const toScreen = (c: Camera, p: Vec): Vec => ({ x: (p.x - c.x) * c.zoom, y: (p.y - c.y) * c.zoom })

export const viewOf = (c: Camera, room: Size): Rect => ({ x: c.x, y: c.y, w: room.w / c.zoom, h: room.h / c.zoom })

/** Shows the whole rectangle, centred, with some air. Never magnifies a whole medium beyond `most`. */
export function fit(what: Rect, room: Size, air = 24, most = MAX_ZOOM): Camera {
  const w = Math.max(room.w - 2 * air, 16)
  const h = Math.max(room.h - 2 * air, 16)
  const zoom = clamp(Math.min(w / Math.max(what.w, 1e-9), h / Math.max(what.h, 1e-9)), 1e-4, most)
  return {
    zoom,
    x: what.x + what.w / 2 - room.w / zoom / 2,
    y: what.y + what.h / 2 - room.h / zoom / 2,
  }
}

/** The media point under `at` (screen) stays under it. */
export function zoomAt(c: Camera, at: Vec, zoom: number, least = 1e-4): Camera {
  const next = clamp(zoom, least, MAX_ZOOM)
  return { zoom: next, x: c.x + at.x / c.zoom - at.x / next, y: c.y + at.y / c.zoom - at.y / next }
}

/** By screen pixels: a drag to the right moves the medium to the right. */
export const pan = (c: Camera, dx: number, dy: number): Camera => ({
  zoom: c.zoom,
  x: c.x - dx / c.zoom,
  y: c.y - dy / c.zoom,
})

/** Some of the medium always stays in sight, so nobody gets lost. */
export function keepInSight(c: Camera, medium: Size, room: Size): Camera {
  const keepX = Math.min(KEEP, (medium.w * c.zoom) / 2, room.w / 2) / c.zoom
  const keepY = Math.min(KEEP, (medium.h * c.zoom) / 2, room.h / 2) / c.zoom
  return {
    zoom: c.zoom,
    x: clamp(c.x, keepX - room.w / c.zoom, medium.w - keepX),
    y: clamp(c.y, keepY - room.h / c.zoom, medium.h - keepY),
  }
}

/** The smallest move that brings a rectangle into view; zooms out only if it does not fit. */
export function reveal(c: Camera, what: Rect, room: Size, air = 40): Camera {
  const w = room.w / c.zoom
  const h = room.h / c.zoom
  const gap = air / c.zoom
  if (what.w + 2 * gap > w || what.h + 2 * gap > h) {
    const inside = what.x < c.x + w && what.y < c.y + h && what.x + what.w > c.x && what.y + what.h > c.y
    const fitted = fit(what, room, air)
    return inside && c.zoom <= fitted.zoom * 2 ? c : { ...fitted, zoom: fitted.zoom }
  }
  return {
    zoom: c.zoom,
    x: clamp(c.x, what.x + what.w + gap - w, what.x - gap),
    y: clamp(c.y, what.y + what.h + gap - h, what.y - gap),
  }
}
