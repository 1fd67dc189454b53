/** Draws at most once a frame, and only when asked. */
import type { Scope } from './scope'

export interface Clockwork {
  request(run: (time: number) => void): number
  cancel(handle: number): void
}

export interface Frame {
  /** Asks for one drawing; asking again before it happens costs nothing. */
  request(): void
  /** Draws now if a drawing is due. */
  flush(): void
  readonly due: boolean
}

const browser: Clockwork = {
  request: (run) => requestAnimationFrame(run),
  cancel: (handle) => cancelAnimationFrame(handle),
}

export function createFrame(scope: Scope, draw: () => void, clockwork: Clockwork = browser): Frame {
  let handle: number | null = null
  const cancel = (): void => {
    if (handle !== null) clockwork.cancel(handle)
    handle = null
  }
  scope.add(cancel)
  return {
    request() {
      if (handle !== null || scope.disposed) return
      handle = clockwork.request(() => {
        handle = null
        draw()
      })
    },
    flush() {
      if (handle === null) return
      cancel()
      draw()
    },
    get due() {
      return handle !== null
    },
  }
}
