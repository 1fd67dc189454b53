/** Whether somebody is at this page, or it only asks by itself: what it asks alone keeps no session alive. */

export const BACKGROUND = 'Evenhand-Background'
const AWAY_MS = 120_000
const ACTS = ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const

let last = Date.now()

/** True when nobody has touched this page for two minutes. */
export function isAway(now: number = Date.now()): boolean {
  return now - last > AWAY_MS
}

/** Notes what somebody does in `target` until the returned function is called. */
export function watchPresence(target: EventTarget, clock: () => number = Date.now): () => void {
  last = clock()
  const note = () => {
    last = clock()
  }
  for (const name of ACTS) target.addEventListener(name, note, { capture: true, passive: true })
  return () => {
    for (const name of ACTS) target.removeEventListener(name, note, { capture: true })
  }
}
