/**
 * The task loop: one task in hand, two waiting behind it, everything that is done kept until the server has it. Plain TypeScript:
 * time, storage, network and locks are handed in, and a test of it is a story.
 */
import { ActiveClock } from './clock'
import { Drafts } from './drafts'
import type { Env } from './env'
import { Leases } from './leases'
import { LookedTime } from './looked'
import { START, titleOf, type Held, type LoopState, type Notice, type SaveState } from './loopState'
import { Outbox } from './outbox'
import { slotOf } from './slots'
import type { Storage } from './storage'
import type { Answer, Annotation } from '../../model/types'
import type { Assignment, Draft, Lesson, LocalLease, Parcel, ReviewDraft, Role, SkipReason, SubmitReply, Verdict } from './types'
import { failureOf, plainReason, type WorkApi } from './workApi'

/** A person holds at most five leases, in all tabs together. */
const MAX_HELD = 5
const KEEP_MS = 14 * 86_400_000

export interface LoopOptions {
  readonly role: Role
  readonly person: string
  /** How many tasks to hold beyond the one in hand. */
  readonly ahead?: number
  /** False where the edits do not survive the tab. */
  readonly durable?: boolean
}

export class TaskLoop {
  #state: LoopState = START
  readonly #listeners = new Set<() => void>()
  readonly #touched = new Set<string>()
  readonly drafts: Drafts
  readonly outbox: Outbox
  readonly clock: ActiveClock
  readonly looked: LookedTime
  readonly #leases: Leases
  #filling = false
  /** Leases of an earlier visit that the server could not be asked for yet. */
  #unopened: LocalLease[] = []
  #stopped = false
  #cancelBeat: (() => void) | null = null
  #beatAt = 0
  #cancelRetry: (() => void) | null = null
  #emptyTries = 0
  /** The last task that was sent off, with its work, so that it can be called back with its undo. */
  #lastHeld: Held | null = null
  #lastSlot: string | null = null
  /** What was sent off and is not answered yet: feedback is set beside it. */
  readonly #under = new Map<string, Assignment>()

  constructor(
    private readonly api: WorkApi,
    private readonly storage: Storage,
    private readonly env: Env,
    private readonly options: LoopOptions,
  ) {
    const shared = {
      changed: () => this.#refresh(),
      signin: () => this.#set({ signin: true }),
      reach: (reachable: boolean) => {
        if (this.#state.reachable !== reachable) this.#set({ reachable })
      },
    }
    this.#leases = new Leases(storage, env)
    this.clock = new ActiveClock(() => env.now())
    this.looked = new LookedTime(storage, env, this.clock)
    this.drafts = new Drafts(storage, api, env, { ...shared, lost: (handle) => this.#lose(handle) })
    this.outbox = new Outbox(storage, api, env, `evenhand-outbox-${options.person}`, {
      ...shared,
      sent: (parcel, reply) => this.#sent(parcel, reply),
      refused: (parcel) => this.#notice('refused', parcel.title, parcel.why ?? ''),
    })
  }

  get state(): LoopState {
    return this.#state
  }

  on(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  // ---- beginning and end ----

  async start(): Promise<void> {
    await this.outbox.load().catch(() => undefined)
    void this.outbox.flush()
    await this.#adopt()
    void this.#tidy()
    this.#beatLater()
    this.looked.run()
    await this.fill()
  }

  /** Work of tasks that went to somebody else long ago is not kept on this device for ever. */
  async #tidy(): Promise<void> {
    const kept = new Set([...this.outbox.closing, ...this.outbox.refused].map((parcel) => slotOf(parcel.task, parcel.role)))
    for (const draft of await this.storage.drafts().catch(() => [])) {
      if (draft.at < this.env.now() - KEEP_MS && !kept.has(draft.slot) && !this.drafts.has(draft.slot)) await this.storage.dropDraft(draft.slot).catch(() => undefined)
    }
    await this.looked.tidy(this.env.now() - KEEP_MS)
  }

  /** Leases of a tab that is gone: a reload, a crash. A lock per lease tells them from those of a tab that lives. */
  async #adopt(): Promise<void> {
    const leases = (await this.#leases.kept()).filter((lease) => lease.role === this.options.role)
    const sent = new Set(this.outbox.closing.map((parcel) => parcel.handle))
    const orphans: LocalLease[] = []
    for (const lease of leases) {
      if (!(await this.#leases.lock(lease.handle))) continue
      if (sent.has(lease.handle)) await this.#leases.drop(lease.handle)
      else orphans.push(lease)
    }
    await this.#takeOver(orphans)
  }

  /** Those that the server can't be asked for now wait for it: nothing of a task is readable on the device without it. */
  async #takeOver(orphans: readonly LocalLease[]): Promise<void> {
    this.#unopened = []
    if (orphans.length === 0) return
    // What the closing page gave back is not ours any more, though it can still be read.
    const alive = await this.api.heartbeat(orphans.map((lease) => lease.handle)).catch(() => null)
    const found = await Promise.all(orphans.map((lease) => this.#reopen(lease, alive !== null && alive[lease.handle] === null)))
    const held = found.filter((one) => one !== null)
    const wasCurrent = new Set(orphans.filter((lease) => lease.current).map((lease) => lease.handle))
    held.sort((a, b) => Number(wasCurrent.has(b.assignment.handle)) - Number(wasCurrent.has(a.assignment.handle)))
    const [current, ...ready] = held
    if (!current) return
    this.#set({ ready: [...this.#state.ready, ...ready] })
    this.#show(current)
  }

  /** True when none waits any more. */
  async #openWaiting(): Promise<boolean> {
    this.#filling = true
    await this.#takeOver(this.#unopened)
    this.#filling = false
    if (this.#unopened.length === 0) return true
    this.#retryLater(Math.min(30, 2 ** ++this.#emptyTries))
    return false
  }

  async #reopen(lease: LocalLease, gone: boolean): Promise<Held | null> {
    const slot = slotOf(lease.task, lease.role)
    // Given back, and nothing was done for it.
    if (gone && !(await this.storage.drafts().catch(() => [])).some((one) => one.slot === slot)) {
      await this.#leases.drop(lease.handle)
      return null
    }
    let assignment: Assignment
    try {
      assignment = await this.api.open(lease.handle)
    } catch (error) {
      const failure = failureOf(error)
      if (failure === 'final') {
        // It is nobody's business here any more, and opens to nobody.
        await this.#leases.drop(lease.handle)
        await this.storage.dropDraft(slot).catch(() => undefined)
        return null
      }
      this.#unopened.push(lease)
      if (failure === 'signin') this.#set({ signin: true })
      else this.#set({ reachable: false, ...(this.#state.current ? {} : { phase: 'trouble', trouble: error }) })
      return null
    }
    const draft = await this.drafts.restore(assignment)
    if (draft) this.#touched.add(lease.handle)
    if (gone && !draft) {
      await this.#leases.drop(lease.handle)
      return null
    }
    return { assignment, draft, lost: gone }
  }

  /** Leases that nothing has been done for: what to give back when the page closes. Never one with unsent work. */
  untouched(): readonly string[] {
    const { current, ready } = this.#state
    return [...(current ? [current] : []), ...ready].map((held) => held.assignment.handle).filter((handle) => !this.#touched.has(handle))
  }

  /** Leaving for another page of the studio, or signing out. */
  async leave(): Promise<void> {
    const back = this.untouched()
    this.stop()
    await Promise.allSettled([this.drafts.pushAll(), this.outbox.flush(), back.length ? this.api.release(back) : Promise.resolve()])
    for (const handle of back) await this.#leases.drop(handle)
    await this.storage.dropSent().catch(() => undefined)
    this.#leases.letGo()
  }

  /** The tab is going away and may come back from the browser's cache: forget what was given back. */
  async gaveBack(handles: readonly string[]): Promise<void> {
    const gone = new Set(handles)
    for (const handle of gone) await this.#leases.drop(handle)
    this.#set({ ready: this.#state.ready.filter((held) => !gone.has(held.assignment.handle)) })
    if (this.#state.current && gone.has(this.#state.current.assignment.handle)) this.#advance()
    await this.fill()
  }

  /** The page goes into the browser's cache, or ends: ask for nothing more. */
  pause(): void {
    this.looked.remember()
    this.#stopped = true
    this.looked.stop()
    this.#cancelBeat?.()
    this.#cancelBeat = null
    this.#cancelRetry?.()
  }

  resume(): void {
    this.#stopped = false
    this.#beatLater()
    this.looked.run()
  }

  stop(): void {
    this.#stopped = true
    this.looked.stop()
    this.#cancelBeat?.()
    this.#cancelRetry?.()
    this.drafts.stop()
    this.outbox.stop()
  }

  /** The network, the window or the session is back. */
  async wake(): Promise<void> {
    if (this.#stopped) return
    await Promise.all([this.outbox.flush(), this.drafts.pushAll(), this.#beat()])
    await this.fill()
  }

  async signedIn(): Promise<void> {
    this.#set({ signin: false, trouble: null, phase: this.#state.current ? 'work' : 'starting' })
    await this.wake()
  }

  // ---- getting tasks ----

  async fill(): Promise<void> {
    if (this.#filling || this.#stopped || this.#state.signin) return
    if (this.#unopened.length > 0 && !(await this.#openWaiting())) return
    const want = this.#want()
    if (want <= 0) return
    this.#filling = true
    this.#cancelRetry?.()
    try {
      // One at a time and alone: two tabs that ask together would both be told less than there is.
      await this.env.alone(`evenhand-next-${this.options.person}`, () => this.#ask(want))
    } catch (error) {
      this.#fillFailed(error)
    } finally {
      this.#filling = false
    }
    // A task may have been finished while we waited.
    if (this.#state.current === null && this.#state.phase === 'starting' && this.#state.ready.length === 0 && this.#state.retryAt === null && !this.#state.signin) {
      this.#retryLater(1)
    }
  }

  #want(): number {
    const { current, ready } = this.#state
    const ahead = this.options.ahead ?? 2
    // One at a time: the next is asked for only when the server has the last.
    if (ahead === 0 && this.outbox.closing.length > 0) return 0
    const inHand = (current && !current.lost ? 1 : 0) + ready.length
    return Math.min(3, 1 + ahead - inHand - (current?.lost ? 1 : 0), MAX_HELD - inHand - this.outbox.closing.length)
  }

  async #ask(want: number): Promise<void> {
    const everywhere = await this.#leases.kept()
    const have = new Set([...everywhere.map((lease) => lease.handle), ...this.#known(), ...this.outbox.closing.map((parcel) => parcel.handle)])
    const reply = await this.api.next(want, this.options.role, [...have])
    this.#set({ reachable: true, trouble: null })
    const fresh: Held[] = []
    for (const assignment of reply.assignments) {
      if (this.#known().includes(assignment.handle) || this.outbox.closing.some((parcel) => parcel.handle === assignment.handle)) continue
      if (!(await this.#leases.lock(assignment.handle))) continue
      await this.#leases.keep(assignment, false)
      this.env.preload(assignment)
      const draft = await this.drafts.restore(assignment)
      if (draft) this.#touched.add(assignment.handle)
      fresh.push({ assignment, draft, lost: false })
    }
    if (this.#stopped) return
    this.#set({ ready: [...this.#state.ready, ...fresh], empty: reply.empty })
    if (!this.#state.current) this.#advance()
    // The pause between heartbeats follows from the leases that are held.
    if (fresh.length > 0) this.#beatLater()
    if (fresh.length > 0) this.#emptyTries = 0
    if (fresh.length < want) this.#retryLater(reply.empty?.retry_after_s ?? Math.min(60, 5 * 2 ** this.#emptyTries++))
  }

  #fillFailed(error: unknown): void {
    const failure = failureOf(error)
    if (failure === 'signin') return this.#set({ signin: true })
    if (failure === 'away') this.#set({ reachable: false })
    if (!this.#state.current) this.#set({ phase: 'trouble', trouble: error })
    this.#retryLater(failure === 'away' ? Math.min(30, 2 ** ++this.#emptyTries) : 60)
  }

  #retryLater(seconds: number): void {
    this.#cancelRetry?.()
    if (this.#stopped) return
    const wait = Math.max(1, seconds) * 1000
    this.#set({ retryAt: this.env.now() + wait })
    this.#cancelRetry = this.env.later(wait, () => {
      this.#set({ retryAt: null })
      void this.fill()
    })
  }

  #known(): readonly string[] {
    const { current, ready } = this.#state
    return [...(current ? [current.assignment.handle] : []), ...ready.map((held) => held.assignment.handle)]
  }

  // ---- the task in hand ----

  #show(held: Held): void {
    void this.looked.begin(held.assignment, held.draft?.seconds ?? 0)
    this.#set({ current: held, phase: 'work', retryAt: null })
    void this.#leases.keep(held.assignment, true)
  }

  #advance(): void {
    const [next, ...ready] = this.#state.ready
    if (next) {
      this.#set({ ready })
      return this.#show(next)
    }
    const { empty } = this.#state
    this.#set({ current: null, phase: empty ? 'empty' : 'starting' })
  }

  /** Every edit: to the device now, to the server in a moment. One that names another task comes too late and is none of this one. */
  edit(edits: readonly unknown[], annotations: readonly Annotation[], handle?: string, review?: ReviewDraft): void {
    const held = this.#state.current
    if (!held || (handle !== undefined && held.assignment.handle !== handle)) return
    this.#touched.add(held.assignment.handle)
    this.drafts.edit(held.assignment, { edits, annotations, seconds: this.clock.read(), ...(review ? { review } : {}) })
  }

  submit(answer: Answer, verdict?: Verdict): void {
    const held = this.#state.current
    if (!held) return
    const key = this.env.id()
    this.#under.set(key, held.assignment)
    const seconds = this.clock.read()
    const drafted = this.#draftNow(held)
    this.#lastHeld = { ...held, draft: { edits: drafted?.edits ?? [], annotations: answer.annotations, seconds, ...(drafted?.review ? { review: drafted.review } : {}) } }
    this.#send(held, { op: 'submit', body: { key, answer, seconds, ...(verdict ? { verdict } : {}) } }, key)
    this.#set({ done: this.#state.done + 1 })
  }

  skip(reason: SkipReason, comment?: string): void {
    const held = this.#state.current
    if (!held) return
    this.#lastHeld = null
    this.#send(held, { op: 'skip', body: { reason, ...(comment ? { comment } : {}) } }, this.env.id())
  }

  /** To the customer, about the task in hand. Without a connection it waits on the device. */
  async ask(text: string): Promise<'sent' | 'waiting' | 'refused'> {
    const held = this.#state.current
    if (!held) return 'refused'
    const { handle, task, role } = held.assignment
    const id = this.env.id()
    await this.outbox.add({ id, handle, task, role, title: titleOf(held.assignment), at: this.env.now(), state: 'waiting', op: 'question', body: { text } })
    await this.outbox.flush()
    if (this.outbox.refused.some((parcel) => parcel.id === id)) return 'refused'
    return this.outbox.waiting.some((parcel) => parcel.id === id) ? 'waiting' : 'sent'
  }

  #send(held: Held, what: Pick<Extract<Parcel, { op: 'submit' }>, 'op' | 'body'> | Pick<Extract<Parcel, { op: 'skip' }>, 'op' | 'body'>, id: string): void {
    const { assignment } = held
    const title = titleOf(assignment)
    const slot = slotOf(assignment.task, assignment.role)
    this.drafts.settle(slot)
    this.#forgetBefore(slot)
    this.looked.forget(assignment)
    const parcel: Parcel = { id, handle: assignment.handle, task: assignment.task, role: assignment.role, title, at: this.env.now(), state: 'waiting', ...what }
    void this.outbox.add(parcel).then(() => this.#leases.drop(assignment.handle))
    this.#set({ empty: this.#state.empty, last: what.op === 'submit' ? { parcel: id, handle: assignment.handle, title } : null })
    this.#advance()
    void this.fill()
  }

  /** Only the very last answer can be called back: what was kept on the device for the one before it goes. */
  #forgetBefore(slot: string): void {
    const before = this.#lastSlot
    this.#lastSlot = slot
    const unsent = this.outbox.closing.some((parcel) => slotOf(parcel.task, parcel.role) === before)
    const inHand = this.#state.ready.some((held) => slotOf(held.assignment.task, held.assignment.role) === before)
    if (before && before !== slot && !unsent && !inHand) void this.drafts.forget(before)
  }

  /** The last submitted task comes back into hand; what was in hand waits behind it. Says why not when it cannot. */
  async recall(): Promise<boolean> {
    const { last } = this.#state
    const before = this.#lastHeld
    if (!last || !before) return false
    try {
      let assignment = before.assignment
      const unsent = await this.outbox.take(last.parcel)
      if (!unsent) {
        if (this.outbox.closing.some((parcel) => parcel.id === last.parcel)) await this.outbox.flush()
        assignment = await this.api.recall(last.handle)
      }
      await this.#leases.lock(assignment.handle)
      const draft = (await this.drafts.restore(assignment)) ?? before.draft
      this.#touched.add(assignment.handle)
      const { current, ready } = this.#state
      this.looked.remember()
      this.#lastHeld = null
      this.#set({ last: null, done: Math.max(0, this.#state.done - 1), ready: current ? [{ ...current, draft: this.#draftNow(current) }, ...ready] : ready })
      this.#show({ assignment, draft, lost: false })
      return true
    } catch (error) {
      if (failureOf(error) === 'signin') this.#set({ signin: true })
      else this.#notice('recall', last.title, plainReason(error))
      return false
    }
  }

  #draftNow(held: Held): Draft | null {
    return this.drafts.latest(slotOf(held.assignment.task, held.assignment.role)) ?? held.draft
  }

  // ---- leases ----

  #beatLater(): void {
    if (this.#stopped) return
    const { current, ready } = this.#state
    const lease_s = Math.min(600, ...[...(current ? [current] : []), ...ready].map((held) => held.assignment.lease_s))
    const wait = Math.max(5, lease_s / 3) * 1000
    // Only ever sooner: somebody who is fast must not put the heartbeat off for ever.
    if (this.#cancelBeat && this.#beatAt <= this.env.now() + wait) return
    this.#cancelBeat?.()
    this.#beatAt = this.env.now() + wait
    this.#cancelBeat = this.env.later(wait, () => void this.#beat())
  }

  async #beat(): Promise<void> {
    this.#cancelBeat?.()
    this.#cancelBeat = null
    const handles = [...new Set([...this.#known(), ...this.outbox.closing.map((parcel) => parcel.handle)])]
    if (handles.length > 0 && !this.#state.signin) {
      try {
        const leases = await this.api.heartbeat(handles)
        this.#set({ reachable: true })
        for (const handle of handles) if (leases[handle] === null) this.#lose(handle)
      } catch (error) {
        const failure = failureOf(error)
        if (failure === 'signin') this.#set({ signin: true })
        if (failure === 'away') this.#set({ reachable: false })
      }
    }
    this.#beatLater()
  }

  #lose(handle: string): void {
    const { current, ready } = this.#state
    if (current?.assignment.handle === handle) {
      if (current.lost) return
      this.#set({ current: { ...current, lost: true } })
      this.#notice('lost', titleOf(current.assignment), '')
      return
    }
    const found = ready.find((held) => held.assignment.handle === handle)
    if (!found) return
    if (this.#touched.has(handle)) {
      this.#set({ ready: ready.map((held) => (held === found ? { ...held, lost: true } : held)) })
      return
    }
    this.#set({ ready: ready.filter((held) => held !== found) })
    void this.#leases.drop(handle)
    void this.fill()
  }

  // ---- news ----

  #sent(parcel: Parcel, reply: SubmitReply | null): void {
    if (parcel.op === 'question') return
    const slot = slotOf(parcel.task, parcel.role)
    const lesson = this.#lessonOf(parcel, reply)
    if (lesson) {
      this.#set({ lessons: [...this.#state.lessons, lesson] })
      // The course may begin anew with the same task: nobody starts from the answer that was wrong.
      void this.drafts.forget(slot).then(() => this.fill())
      return
    }
    // The very last one keeps its draft, for calling back with undo.
    if (this.#state.last?.parcel !== parcel.id) void this.drafts.forget(slot)
    if (reply && (reply.note || reply.late || reply.extra)) {
      this.#notice(reply.extra ? 'extra' : reply.late ? 'late' : 'note', parcel.title, reply.note ?? '')
    }
    void this.fill()
  }

  #lessonOf(parcel: Parcel, reply: SubmitReply | null): Lesson | null {
    const assignment = this.#under.get(parcel.id)
    this.#under.delete(parcel.id)
    return assignment && reply?.feedback && parcel.op === 'submit' ? { id: parcel.id, assignment, answer: parcel.body.answer, feedback: reply.feedback } : null
  }

  #notice(kind: Notice['kind'], title: string, text: string): void {
    this.#set({ notices: [...this.#state.notices.slice(-19), { id: this.env.id(), kind, title, text }] })
  }

  learned(id: string): void {
    this.#set({ lessons: this.#state.lessons.filter((lesson) => lesson.id !== id) })
  }

  dismiss(id: string): void {
    this.#set({ notices: this.#state.notices.filter((notice) => notice.id !== id) })
  }

  #refresh(): void {
    const waiting = this.outbox.waiting.length
    const unsaved = this.drafts.pending || waiting > 0
    const full = this.drafts.deviceFull || this.outbox.full
    const durable = (this.options.durable ?? true) && !full && this.outbox.durable
    const stuck = !this.#state.reachable || this.#state.signin || this.drafts.deviceOnly
    const save: SaveState = !unsaved ? 'saved' : !stuck ? 'saving' : durable ? 'device' : 'unsafe'
    const refused = this.outbox.refused
    const filled = full && !this.#state.full
    if (save === this.#state.save && full === this.#state.full && waiting === this.#state.waiting && sameParcels(refused, this.#state.refused)) return
    this.#state = { ...this.#state, save, full, waiting, refused }
    if (filled) this.#notice('full', '', '')
    else this.#tell()
  }

  #set(change: Partial<LoopState>): void {
    this.#state = { ...this.#state, ...change }
    this.#tell()
    if ('reachable' in change || 'signin' in change) this.#refresh()
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

function sameParcels(a: readonly Parcel[], b: readonly Parcel[]): boolean {
  return a.length === b.length && a.every((parcel, i) => parcel.id === b[i]?.id)
}
