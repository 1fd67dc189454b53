import type { Env } from './env'
import type { Storage } from './storage'
import type { Assignment, LocalLease } from './types'

/** The leases that this browser holds: each noted on the device, and locked by the tab that works on it. */
export class Leases {
  readonly #locks = new Map<string, () => void>()

  constructor(
    private readonly storage: Storage,
    private readonly env: Env,
  ) {}

  /** Those of every tab of this browser. */
  async kept(): Promise<readonly LocalLease[]> {
    return this.storage.leases().catch(() => [])
  }

  async keep({ handle, task, role }: Assignment, current: boolean): Promise<void> {
    await this.storage.putLease({ handle, task, role, current, at: this.env.now() }).catch(() => undefined)
  }

  /** False where another tab that lives has it. */
  async lock(handle: string): Promise<boolean> {
    if (this.#locks.has(handle)) return true
    const release = await this.env.hold(`evenhand-lease-${handle}`)
    if (!release) return false
    this.#locks.set(handle, release)
    return true
  }

  async drop(handle: string): Promise<void> {
    await this.storage.dropLease(handle).catch(() => undefined)
    this.#unlock(handle)
  }

  /** Every lock at once: this tab works on nothing any more. */
  letGo(): void {
    for (const handle of [...this.#locks.keys()]) this.#unlock(handle)
  }

  #unlock(handle: string): void {
    this.#locks.get(handle)?.()
    this.#locks.delete(handle)
  }
}
