/** Finished work on its way to the server. It is kept on the device until the server has said yes, in whatever tab and however late. */
import { ApiError } from '../../ui/api'
import type { Env } from './env'
import { say } from './phrases'
import type { Storage } from './storage'
import type { Parcel, SubmitReply } from './types'
import { failureOf, plainReason, type WorkApi } from './workApi'

export interface OutboxHooks {
  changed(): void
  sent(parcel: Parcel, reply: SubmitReply | null): void
  refused(parcel: Parcel): void
  signin(): void
  /** The server answers again, or no longer. */
  reach(reachable: boolean): void
}

const BACKOFF_MS = [1000, 2000, 5000, 10_000, 20_000, 30_000] as const

export class Outbox {
  #parcels: readonly Parcel[] = []
  #sending: string | null = null
  #flushing: Promise<void> | null = null
  #again = false
  #tries = 0
  #cancel: (() => void) | null = null
  #stopped = false
  #full = false

  constructor(
    private readonly storage: Storage,
    private readonly api: Pick<WorkApi, 'open' | 'submit' | 'skip' | 'question'>,
    private readonly env: Env,
    private readonly lock: string,
    private readonly hooks: OutboxHooks,
  ) {}

  get waiting(): readonly Parcel[] {
    return this.#parcels.filter((parcel) => parcel.state === 'waiting')
  }

  /** Those that end the hold on a task. */
  get closing(): readonly Parcel[] {
    return this.waiting.filter((parcel) => parcel.op !== 'question')
  }

  get refused(): readonly Parcel[] {
    return this.#parcels.filter((parcel) => parcel.state === 'refused')
  }

  async load(): Promise<void> {
    await this.#reread()
  }

  /** In memory at once; on the device before it is sent. */
  async add(parcel: Parcel): Promise<void> {
    this.#parcels = [...this.#parcels, parcel]
    this.#unwritten.add(parcel.id)
    this.hooks.changed()
    await this.#keep(parcel)
    void this.flush()
  }

  async #keep(parcel: Parcel): Promise<void> {
    try {
      await this.storage.putParcel(parcel)
      this.#unwritten.delete(parcel.id)
      this.#full = false
    } catch {
      // A full disk: it stays in memory, and the indicator does not say "kept on this device".
      this.#full = true
      this.hooks.changed()
    }
  }

  /** True when the device would not keep the last of them. */
  get full(): boolean {
    return this.#full && this.#unwritten.size > 0
  }

  /** Takes an unsent parcel back; null when it is gone or on its way. */
  async take(id: string): Promise<Parcel | null> {
    const parcel = this.#parcels.find((one) => one.id === id)
    if (!parcel || this.#sending === id) return null
    const release = await this.env.hold(this.lock)
    if (!release) return null
    try {
      const kept = await this.storage.parcels()
      // Another tab may have sent it meanwhile.
      if (!kept.some((one) => one.id === id)) return null
      await this.#forget(id)
      this.hooks.changed()
      return parcel
    } finally {
      release()
    }
  }

  async discard(id: string): Promise<void> {
    await this.#forget(id)
    this.hooks.changed()
  }

  /** Sends what waits, oldest first. Resolves when all is sent or nothing can be sent now. */
  flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = null
    if (this.#stopped) return Promise.resolve()
    this.#again = true
    this.#flushing ??= this.env
      .alone(this.lock, () => this.#drain())
      .catch(() => undefined)
      .finally(() => {
        this.#flushing = null
      })
    return this.#flushing
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  async #drain(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      await this.#reread()
      // Room may have been made since.
      if (this.full) for (const parcel of this.#parcels) if (this.#unwritten.has(parcel.id)) await this.#keep(parcel)
      for (const parcel of this.waiting) {
        if (this.#stopped || !(await this.#deliver(parcel))) return
      }
    }
  }

  /** What another tab has added or sent since. A parcel whose own write is still under way stays. */
  async #reread(): Promise<void> {
    try {
      const kept = await this.storage.parcels()
      const fromDevice = kept.filter((parcel) => !this.#gone.has(parcel.id))
      const known = new Set(fromDevice.map((parcel) => parcel.id))
      const onlyHere = this.#parcels.filter((parcel) => this.#unwritten.has(parcel.id) && !known.has(parcel.id))
      this.#parcels = [...fromDevice, ...onlyHere].sort((a, b) => a.at - b.at)
      this.hooks.changed()
    } catch {
      // The list in memory is all there is.
    }
  }

  /** False: stop for now. */
  async #deliver(kept: Parcel): Promise<boolean> {
    this.#sending = kept.id
    let parcel = kept
    try {
      parcel = await this.#opened(kept)
      const reply = await this.#send(parcel)
      this.#tries = 0
      await this.#forget(parcel.id)
      this.hooks.reach(true)
      this.hooks.sent(parcel, reply)
      return true
    } catch (error) {
      return await this.#failed(parcel, error)
    } finally {
      this.#sending = null
      this.hooks.changed()
    }
  }

  /** One of an earlier visit opens when the server has handed out the key of its lease. */
  async #opened(parcel: Parcel): Promise<Parcel> {
    if (parcel.op !== 'sealed') return parcel
    await this.api.open(parcel.handle)
    const found = (await this.storage.parcels()).find((one) => one.id === parcel.id)
    if (!found || found.op === 'sealed') throw new ApiError(409, 'conflict', say('work.outbox.sealed'), '', '')
    this.#parcels = this.#parcels.map((one) => (one.id === found.id ? found : one))
    return found
  }

  async #send(parcel: Parcel): Promise<SubmitReply | null> {
    switch (parcel.op) {
      case 'submit':
        return this.api.submit(parcel.handle, parcel.body)
      case 'skip':
        await this.api.skip(parcel.handle, parcel.id, parcel.body)
        return null
      case 'question':
        await this.api.question(parcel.handle, parcel.id, parcel.body.text)
        return null
      case 'sealed':
        return null
    }
  }

  async #failed(parcel: Parcel, error: unknown): Promise<boolean> {
    const failure = failureOf(error)
    if (failure === 'signin') {
      this.hooks.signin()
      return false
    }
    if (failure === 'away') {
      this.hooks.reach(false)
      const wait = BACKOFF_MS[Math.min(this.#tries++, BACKOFF_MS.length - 1)] ?? 30_000
      this.#cancel?.()
      this.#cancel = this.env.later(wait, () => void this.flush())
      return false
    }
    const refused: Parcel = { ...parcel, state: 'refused', why: plainReason(error) }
    this.#parcels = this.#parcels.map((one) => (one.id === parcel.id ? refused : one))
    await this.storage.putParcel(refused).catch(() => undefined)
    this.hooks.refused(refused)
    return true
  }

  /** True when every waiting parcel is on the device. */
  get durable(): boolean {
    return this.#unwritten.size === 0
  }

  async #forget(id: string): Promise<void> {
    this.#gone.add(id)
    this.#unwritten.delete(id)
    this.#parcels = this.#parcels.filter((one) => one.id !== id)
    await this.storage.dropParcel(id).catch(() => undefined)
  }

  // Ids that this tab has sent or taken back: a late read of the device must not bring them in again.
  readonly #gone = new Set<string>()
  // Ids that are not on the device yet (or cannot be put there).
  readonly #unwritten = new Set<string>()
}
