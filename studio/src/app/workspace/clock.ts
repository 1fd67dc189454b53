/** Counts the seconds in which somebody is at work: the page is in sight and the last key, click or scroll is at most a minute ago. */

export const IDLE_MS = 60_000

export class ActiveClock {
  #total = 0
  #from: number
  #activity: number
  #visible = true
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
    this.#from = now()
    this.#activity = this.#from
  }

  /** Another task: begin at what was already counted for it. */
  start(seconds: number): void {
    this.#total = seconds * 1000
    this.#from = this.#now()
    this.#activity = this.#from
  }

  /** Time that was counted elsewhere: before a reload. */
  add(seconds: number): void {
    this.#total += seconds * 1000
  }

  activity(): void {
    this.#advance()
    this.#activity = this.#now()
  }

  setVisible(visible: boolean): void {
    this.#advance()
    // Looking at the page again is a sign of life.
    if (visible && !this.#visible) this.#activity = this.#now()
    this.#visible = visible
  }

  get running(): boolean {
    return this.#visible && this.#now() <= this.#activity + IDLE_MS
  }

  /** Seconds, to a tenth. */
  read(): number {
    this.#advance()
    return Math.round(this.#total / 100) / 10
  }

  // Interval arithmetic and no ticking: a laptop that slept must not be paid for the night.
  #advance(): void {
    const now = this.#now()
    if (this.#visible) this.#total += Math.max(0, Math.min(now, this.#activity + IDLE_MS) - this.#from)
    this.#from = now
  }
}
