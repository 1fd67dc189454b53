/**
 * Autosave. Every edit goes to the device at once (the latest wins while a write is under way) and to the server after a pause.
 * A draft belongs to a task and a role, not to a lease: when the lease is lost and the task comes back, so does the work.
 */
import { ApiError } from '../../ui/api'
import type { Env } from './env'
import { pack, unpack } from './pack'
import { slotOf } from './slots'
import type { Storage } from './storage'
import type { Assignment, Draft, LocalDraft } from './types'
import { failureOf, type WorkApi } from './workApi'

export const PAUSE_MS = 2000
/** A draft of this many characters waits twice as long before it is sent again, and so on: the line is for the next task too. */
const SLOW_ABOVE = 1_000_000
const PAUSE_MOST_MS = 60_000

export interface DraftHooks {
  changed(): void
  signin(): void
  reach(reachable: boolean): void
  /** The lease of this handle is no longer ours. */
  lost(handle: string): void
}

interface Slot {
  draft: LocalDraft
  writing: boolean
  dirty: boolean
  sending: boolean
  failed: boolean
  /** More than the server takes: it stays on the device until it is submitted. */
  tooLarge: boolean
  size: number
  cancel: (() => void) | null
}

export class Drafts {
  readonly #slots = new Map<string, Slot>()
  #deviceFull = false
  #stopped = false

  constructor(
    private readonly storage: Storage,
    private readonly api: Pick<WorkApi, 'draft' | 'open'>,
    private readonly env: Env,
    private readonly hooks: DraftHooks,
  ) {}

  /** True while an edit is not yet on the server. */
  get pending(): boolean {
    return [...this.#slots.values()].some((slot) => slot.draft.synced < slot.draft.version)
  }

  /** True while the server will not have a draft, so that this device has the only copy. */
  get deviceOnly(): boolean {
    return [...this.#slots.values()].some((slot) => slot.tooLarge && slot.draft.synced < slot.draft.version)
  }

  /** True when an edit could not be kept on the device. */
  get deviceFull(): boolean {
    return this.#deviceFull
  }

  /** True when the task has been worked on here, sent or not. */
  has(slot: string): boolean {
    return this.#slots.has(slot)
  }

  latest(slot: string): Draft | null {
    return this.#slots.get(slot)?.draft.body ?? null
  }

  /** The newest of what the device and the server have. */
  async restore(assignment: Assignment): Promise<Draft | null> {
    const slot = slotOf(assignment.task, assignment.role)
    const local = await this.storage.draft(slot).catch(() => null)
    // Sent under an earlier lease of the same task, and taken off this device since.
    const earlier = local || assignment.draft ? null : await this.#earlier(slot, assignment)
    const remote = assignment.draft ?? earlier
    if (local && (!remote || local.version >= remote.version)) {
      const draft = { ...local, handle: assignment.handle, synced: remote ? Math.min(local.synced, remote.version) : 0 }
      this.#adopt(slot, draft)
      if (draft.synced < draft.version) this.#schedule(slot)
      return local.body
    }
    if (!remote) return null
    const body = await unpack(remote.body).catch(() => null)
    if (!body) return null
    this.#adopt(slot, { slot, handle: assignment.handle, version: remote.version, synced: earlier ? 0 : remote.version, body, at: this.env.now() })
    if (earlier) this.#schedule(slot)
    return body
  }

  async #earlier(slot: string, { handle }: Assignment): Promise<Assignment['draft']> {
    const before = await this.storage.sentUnder(slot).catch(() => null)
    if (!before || before === handle) return null
    return this.api.open(before).then(
      (assignment) => assignment.draft,
      () => null,
    )
  }

  #adopt(slot: string, draft: LocalDraft): void {
    this.#slots.get(slot)?.cancel?.()
    this.#slots.set(slot, { draft, writing: false, dirty: false, sending: false, failed: false, tooLarge: false, size: 0, cancel: null })
  }

  edit(assignment: Pick<Assignment, 'task' | 'role' | 'handle'>, body: Draft): void {
    const name = slotOf(assignment.task, assignment.role)
    const before = this.#slots.get(name)
    const draft: LocalDraft = {
      slot: name,
      handle: assignment.handle,
      version: (before?.draft.version ?? 0) + 1,
      synced: before?.draft.synced ?? 0,
      body,
      at: this.env.now(),
    }
    if (before) before.draft = draft
    else this.#adopt(name, draft)
    void this.#keep(name)
    this.#schedule(name)
    this.hooks.changed()
  }

  async #keep(name: string): Promise<void> {
    const slot = this.#slots.get(name)
    if (!slot) return
    slot.dirty = true
    if (slot.writing) return
    slot.writing = true
    while (slot.dirty) {
      slot.dirty = false
      try {
        await this.storage.putDraft(slot.draft)
        this.#setFull(false)
      } catch {
        this.#setFull(true)
      }
    }
    slot.writing = false
    // Submitted while it was being written: do not leave it behind.
    if (this.#slots.get(name) !== slot) await this.storage.dropDraft(name).catch(() => undefined)
  }

  #setFull(full: boolean): void {
    if (this.#deviceFull === full) return
    this.#deviceFull = full
    this.hooks.changed()
  }

  #schedule(name: string, wait?: number): void {
    const slot = this.#slots.get(name)
    if (!slot || this.#stopped) return
    slot.cancel?.()
    const pause = Math.min(PAUSE_MOST_MS, PAUSE_MS * Math.max(1, slot.size / SLOW_ABOVE))
    slot.cancel = this.env.later(wait ?? pause, () => void this.push(name))
  }

  /** Sends one draft now. */
  async push(name: string): Promise<void> {
    const slot = this.#slots.get(name)
    if (!slot || slot.sending || slot.draft.synced >= slot.draft.version) return
    slot.cancel?.()
    slot.cancel = null
    slot.sending = true
    const sent = slot.draft
    try {
      const { body, size } = await pack(sent.body)
      slot.size = size
      await this.api.draft(sent.handle, sent.version, body)
      slot.tooLarge = false
      this.#synced(slot, sent.version)
      this.hooks.reach(true)
      if (slot.draft.version > sent.version) this.#schedule(name)
    } catch (error) {
      await this.#failed(name, slot, error)
    } finally {
      slot.sending = false
      this.hooks.changed()
    }
  }

  #synced(slot: Slot, version: number): void {
    slot.failed = false
    slot.draft = { ...slot.draft, synced: version }
    void this.#keep(slot.draft.slot)
  }

  async #failed(name: string, slot: Slot, error: unknown): Promise<void> {
    const failure = failureOf(error)
    if (failure === 'signin') return this.hooks.signin()
    if (failure === 'away') {
      this.hooks.reach(false)
      this.#schedule(name, 10_000)
      return
    }
    if (tooLarge(error)) {
      slot.tooLarge = true
      return
    }
    // Most often another window was further; ours is the newer work, so count on from there. Once: else the lease is gone.
    if (slot.failed) return this.hooks.lost(slot.draft.handle)
    slot.failed = true
    try {
      const fresh = await this.api.open(slot.draft.handle)
      const version = Math.max(slot.draft.version, (fresh.draft?.version ?? 0) + 1)
      slot.draft = { ...slot.draft, version, synced: 0 }
      this.#schedule(name, 100)
    } catch (again) {
      if (failureOf(again) === 'final') this.hooks.lost(slot.draft.handle)
      else this.#schedule(name, 10_000)
    }
  }

  /** Sends all that is not on the server yet: before leaving, and when the network is back. */
  async pushAll(): Promise<void> {
    await Promise.all([...this.#slots.keys()].map((name) => this.push(name)))
  }

  /** The answer has gone to the outbox: the server needs no draft of it any more. The device keeps it for calling back. */
  settle(slot: string): void {
    const found = this.#slots.get(slot)
    if (!found) return
    found.cancel?.()
    found.draft = { ...found.draft, synced: found.draft.version }
  }

  async forget(slot: string): Promise<void> {
    this.#slots.get(slot)?.cancel?.()
    this.#slots.delete(slot)
    await this.storage.dropDraft(slot).catch(() => undefined)
    this.hooks.changed()
  }

  stop(): void {
    this.#stopped = true
    for (const slot of this.#slots.values()) slot.cancel?.()
  }
}

function tooLarge(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 413 || (error.status === 400 && error.detail.includes('larger than')))
}
