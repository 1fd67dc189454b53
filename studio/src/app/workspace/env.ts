/** What the loop needs of the world: time, chance, locks between tabs, and images. All of it is handed in, so that tests need no patching. */
import { fetchAhead } from '../../surfaces/image/ahead'
import type { Assignment } from './types'

export interface Env {
  now(): number
  id(): string
  /** Calls back once; the returned function cancels. */
  later(ms: number, act: () => void): () => void
  /** Takes a lock if no other tab has it; the returned function gives it back. */
  hold(name: string): Promise<(() => void) | null>
  /** Waits for the lock, then runs. */
  alone<T>(name: string, act: () => Promise<T>): Promise<T>
  /** Gets a task ready to be shown at once. */
  preload(assignment: Assignment): void
  online(): boolean
}

export function browserEnv(): Env {
  return {
    now: () => Date.now(),
    id: () => crypto.randomUUID(),
    later: (ms, act) => {
      const timer = setTimeout(act, ms)
      return () => clearTimeout(timer)
    },
    hold: holdLock,
    alone: (name, act) => (locks() ? (locks()!.request(name, act) as ReturnType<typeof act>) : act()),
    preload: preloadImages,
    online: () => navigator.onLine,
  }
}

function locks(): LockManager | undefined {
  return 'locks' in navigator ? navigator.locks : undefined
}

function holdLock(name: string): Promise<(() => void) | null> {
  const manager = locks()
  if (!manager) return Promise.resolve(() => undefined)
  return new Promise((resolve) => {
    void manager
      .request(name, { ifAvailable: true }, (lock) => {
        if (!lock) {
          resolve(null)
          return undefined
        }
        // The lock is held for as long as this promise is open; the browser gives it back when the tab ends, however it ends.
        return new Promise<void>((giveBack) => resolve(() => giveBack()))
      })
      .catch(() => resolve(() => undefined))
  })
}

function preloadImages(assignment: Assignment): void {
  if (assignment.data.medium === 'image') fetchAhead(assignment.data.image.url)
}
