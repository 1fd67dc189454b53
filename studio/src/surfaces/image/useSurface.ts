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
