import { useCallback, useSyncExternalStore } from 'react'
import type { ImageSurface } from './surface'

/**
 * One value of a surface, kept up to date. `pick` must give the same value (===) while nothing changed: pick fields of
 * the board, which are replaced and never altered, not objects made on the spot.
 */
export function useSurface<T>(surface: ImageSurface, pick: (surface: ImageSurface) => T): T {
  const subscribe = useCallback((listener: () => void) => surface.on('change', listener), [surface])
  return useSyncExternalStore(subscribe, () => pick(surface))
}

/**
 * The same for panels that cost more: they hear of changes once the frame that shows them on the picture is out, so the
 * picture never waits for a list.
 */
export function useSurfaceLater<T>(surface: ImageSurface, pick: (surface: ImageSurface) => T): T {
  const subscribe = useCallback((listener: () => void) => afterFrame(surface, listener), [surface])
  return useSyncExternalStore(subscribe, () => pick(surface))
}

/** One clock for all panels of a surface, so that they change together. */
const clocks = new WeakMap<ImageSurface, Set<() => void>>()

function afterFrame(surface: ImageSurface, listener: () => void): () => void {
  let listeners = clocks.get(surface)
  if (!listeners) clocks.set(surface, (listeners = startClock(surface)))
  const own = listeners
  own.add(listener)
  return () => {
    own.delete(listener)
  }
}

function startClock(surface: ImageSurface): Set<() => void> {
  const listeners = new Set<() => void>()
  let due = false
  surface.on('change', () => {
    if (due) return
    due = true
    requestAnimationFrame(() =>
      whenIdle(() => {
        due = false
        for (const listener of [...listeners]) listener()
      }),
    )
  })
  return listeners
}

/** After the frame, and after input that already waits; never later than a person would notice. */
function whenIdle(run: () => void): void {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(run, { timeout: 100 })
  else setTimeout(run)
}
