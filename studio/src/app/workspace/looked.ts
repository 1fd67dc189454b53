/**
 * The time on a task, written down every few seconds, edited or not: it is paid, and a reload must not take it. The draft has the
 * time of the last edit; what was looked at since, or without any edit, is here.
 */
import type { ActiveClock } from './clock'
import { slotOf } from './slots'
import type { Env } from './env'
import type { Storage } from './storage'
import type { Assignment } from './types'

const EVERY_MS = 5_000
const PREFIX = 'looked:'

interface Looked {
  readonly seconds: number
  readonly at: number
}

export class LookedTime {
  #now: Assignment | null = null
  #written = -1
  #cancel: (() => void) | null = null

  constructor(
    private readonly storage: Pick<Storage, 'note' | 'putNote' | 'dropNote' | 'noteKeys'>,
    private readonly env: Pick<Env, 'now' | 'later'>,
    private readonly clock: ActiveClock,
  ) {}

  /** Another task is in hand; `counted` are the seconds that its draft knows of. */
  async begin(assignment: Assignment, counted: number): Promise<void> {
    this.clock.start(counted)
    this.#now = assignment
    this.#written = -1
    const before = await this.#read(keyOf(assignment))
    if (before && before.seconds > counted && this.#now?.handle === assignment.handle) this.clock.add(before.seconds - counted)
  }

  remember(): void {
    const seconds = this.clock.read()
    if (!this.#now || Math.abs(seconds - this.#written) < 1) return
    this.#written = seconds
    const looked: Looked = { seconds, at: this.env.now() }
    void this.storage.putNote(keyOf(this.#now), looked).catch(() => undefined)
  }

  /** It was sent off: its seconds went with it. */
  forget(assignment: Assignment): void {
    if (this.#now?.handle === assignment.handle) this.#now = null
    void this.storage.dropNote(keyOf(assignment)).catch(() => undefined)
  }

  run(): void {
    this.#cancel?.()
    this.#cancel = this.env.later(EVERY_MS, () => {
      this.remember()
      this.run()
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  /** Tasks that went to somebody else long ago. */
  async tidy(before: number): Promise<void> {
    for (const key of await this.storage.noteKeys(PREFIX).catch(() => [])) {
      const looked = await this.#read(key)
      if (looked && looked.at < before) await this.storage.dropNote(key).catch(() => undefined)
    }
  }

  async #read(key: string): Promise<Looked | null> {
    return ((await this.storage.note(key).catch(() => null)) as Looked | null | undefined) ?? null
  }
}

function keyOf({ task, role }: Assignment): string {
  return PREFIX + slotOf(task, role)
}
