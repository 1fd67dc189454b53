/** A world for tests of the loop: a clock that is turned by hand, locks shared by tabs, and a network boundary that answers as told. */
import { ApiError } from '../../ui/api'
import type { Env } from './env'
import { inMemory, type Storage } from './storage'
import { TaskLoop, type LoopOptions } from './loop'
import type { Assignment, Draft, Feedback, SubmitBody } from './types'
import type { PackedDraft } from './pack'
import type { WorkApi } from './workApi'

export const LEASE_S = 60

export class World {
  now = Date.parse('2026-01-05T09:00:00Z')
  #ids = 0
  #timers: { at: number; act: () => void }[] = []
  readonly #locks = new Map<string, Promise<unknown>>()
  readonly held = new Set<string>()

  env(): Env {
    return {
      now: () => this.now,
      id: () => `id-${++this.#ids}`,
      later: (ms, act) => {
        const timer = { at: this.now + ms, act }
        this.#timers.push(timer)
        return () => {
          this.#timers = this.#timers.filter((one) => one !== timer)
        }
      },
      hold: async (name) => {
        if (this.held.has(name)) return null
        this.held.add(name)
        return () => this.held.delete(name)
      },
      alone: (name, act) => {
        const before = this.#locks.get(name) ?? Promise.resolve()
        const run = before.then(() => {
          this.held.add(name)
          return act().finally(() => this.held.delete(name))
        })
        this.#locks.set(
          name,
          run.catch(() => undefined),
        )
        return run
      },
      preload: () => undefined,
      online: () => true,
    }
  }

  /** Lets everything that is under way come to rest. */
  async settle(): Promise<void> {
    for (let i = 0; i < 60; i++) await Promise.resolve()
  }

  async pass(seconds: number): Promise<void> {
    const end = this.now + seconds * 1000
    await this.settle()
    for (;;) {
      const next = this.#timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers = this.#timers.filter((one) => one !== next)
      this.now = Math.max(this.now, next.at)
      next.act()
      await this.settle()
    }
    this.now = end
    await this.settle()
  }
}

interface Lease {
  readonly assignment: Assignment
  until: number
}

/** The network boundary. It answers as the contract says, and fails as it is told. */
export class Server implements WorkApi {
  tasks = 10
  failing: 'away' | 'signin' | null = null
  /** The next submit is done and its answer is lost. */
  loseReply = false
  refusing = false
  /** What submissions of a training task are answered with. */
  feedback: Feedback | null = null
  paused = false
  readonly leases = new Map<string, Lease>()
  readonly submits = new Map<string, { readonly handle: string; readonly body: SubmitBody }>()
  readonly drafts: { readonly handle: string; readonly version: number; readonly body: Draft | PackedDraft }[] = []
  readonly released: string[] = []
  readonly skipped: string[] = []
  asked: { want: number; have: readonly string[] }[] = []
  calls = 0
  #next = 0

  constructor(private readonly world: World) {}

  #gate(): void {
    this.calls++
    if (this.failing === 'away') throw new ApiError(0, 'offline', 'No connection', '', '')
    if (this.failing === 'signin') throw new ApiError(401, 'signin', 'Sign in', '', '')
  }

  #stamp(lease: Lease): Assignment {
    return { ...lease.assignment, lease_until: new Date(lease.until).toISOString(), server_now: new Date(this.world.now).toISOString() }
  }

  async next(want: number, role: 'label' | 'review', have: readonly string[]) {
    this.#gate()
    this.asked.push({ want, have })
    const assignments: Assignment[] = []
    while (assignments.length < want && this.#next < this.tasks && this.leases.size < 5 && !this.paused) {
      const handle = `h${++this.#next}`
      const assignment: Assignment = {
        handle,
        role,
        task: `t${this.#next}`,
        project: { id: 'p1', name: 'Project', medium: 'none' },
        data: { medium: 'none', name: `Task ${this.#next}` },
        ontology: { classes: [], attributes: [], fields: [] },
        instructions_version: 1,
        lease_until: '',
        lease_s: LEASE_S,
        server_now: '',
        draft: null,
        answer: null,
      }
      this.leases.set(handle, { assignment, until: this.world.now + LEASE_S * 1000 })
      assignments.push(this.#stamp(this.leases.get(handle)!))
    }
    const none = assignments.length < want
    return { assignments, empty: none ? { reason: 'nothing_open' as const, text: 'All done.', retry_after_s: 30 } : null }
  }

  async open(handle: string) {
    this.#gate()
    const lease = this.leases.get(handle)
    if (!lease) throw new ApiError(404, 'missing', 'No such task', '', '')
    return this.#stamp(lease)
  }

  async heartbeat(handles: readonly string[]) {
    this.#gate()
    return Object.fromEntries(
      handles.map((handle) => {
        const lease = this.leases.get(handle)
        if (!lease || lease.until <= this.world.now) return [handle, null]
        lease.until = this.world.now + LEASE_S * 1000
        return [handle, new Date(lease.until).toISOString()]
      }),
    )
  }

  async draft(handle: string, version: number, body: Draft | PackedDraft) {
    this.#gate()
    const lease = this.leases.get(handle)
    if (!lease) throw new ApiError(404, 'missing', 'No such task', '', '')
    const held = lease.assignment.draft?.version ?? 0
    if (version <= held) throw new ApiError(409, 'conflict', 'Older than the draft that is kept', '', '')
    this.drafts.push({ handle, version, body })
    this.leases.set(handle, { ...lease, assignment: { ...lease.assignment, draft: { version, body } } })
    return { version }
  }

  async submit(handle: string, body: SubmitBody) {
    this.#gate()
    if (this.refusing) throw new ApiError(409, 'conflict', 'Cancelled', 'The customer has cancelled this task.', '')
    const repeated = this.submits.has(body.key)
    const lease = this.leases.get(handle)
    const late = !repeated && (!lease || lease.until <= this.world.now)
    this.submits.set(body.key, { handle, body })
    this.leases.delete(handle)
    if (this.loseReply) {
      this.loseReply = false
      throw new ApiError(0, 'offline', 'No connection', '', '')
    }
    return { state: 'submitted' as const, late, extra: false, note: late ? 'Its place was still free.' : null, paid_s: body.seconds, feedback: this.feedback }
  }

  async skip(handle: string) {
    this.#gate()
    this.skipped.push(handle)
    this.leases.delete(handle)
    return { state: 'skipped' }
  }

  readonly questions = new Map<string, { readonly handle: string; readonly text: string }>()

  async question(handle: string, key: string, text: string) {
    this.#gate()
    this.questions.set(key, { handle, text })
    if (this.loseReply) {
      this.loseReply = false
      throw new ApiError(0, 'offline', 'No connection', '', '')
    }
    return { id: key }
  }

  async release(handles: readonly string[]) {
    this.#gate()
    for (const handle of handles) {
      this.released.push(handle)
      this.leases.delete(handle)
    }
    return { released: handles.length }
  }

  async recall(handle: string) {
    this.#gate()
    const done = [...this.submits.values()].find((one) => one.handle === handle)
    if (!done) throw new ApiError(409, 'conflict', 'Reviewed', 'It has been reviewed already.', '')
    this.submits.delete(done.body.key)
    const number = handle.slice(1)
    const lease: Lease = {
      assignment: {
        handle,
        role: 'label',
        task: `t${number}`,
        project: { id: 'p1', name: 'Project', medium: 'none' },
        data: { medium: 'none', name: `Task ${number}` },
        ontology: { classes: [], attributes: [], fields: [] },
        instructions_version: 1,
        lease_until: '',
        lease_s: LEASE_S,
        server_now: '',
        draft: null,
        answer: done.body.answer,
      },
      until: this.world.now + LEASE_S * 1000,
    }
    this.leases.set(handle, lease)
    return this.#stamp(lease)
  }
}

export interface Tab {
  readonly loop: TaskLoop
  readonly storage: Storage
}

/** Opens the page: the same storage is the same device. */
export async function openTab(world: World, server: Server, storage: Storage = inMemory(), options: Partial<LoopOptions> = {}): Promise<Tab> {
  const loop = new TaskLoop(server, storage, world.env(), { role: 'label', person: 'p', ...options })
  await loop.start()
  await world.settle()
  return { loop, storage }
}

/** The tab ends without a word: a crash, or the power. Locks of the browser go with it. */
export function crash(world: World, tab: Tab): void {
  tab.loop.stop()
  world.held.clear()
}
