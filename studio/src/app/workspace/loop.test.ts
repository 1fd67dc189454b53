import { beforeEach, describe, expect, it } from 'vitest'
import type { Annotation } from '../../model/types'
import type { Parcel } from './types'
import { ApiError } from '../../ui/api'
import { inMemory } from './storage'
import { LEASE_S, openTab, crash, Server, World } from './testing'

const text = (words: string): Annotation => ({ id: 'f0', kind: 'text', field: 'f', text: words })
const mark = (words: string) => ({ name: `write ${words}`, edits: [], at_ms: 1 })

let world: World
let server: Server

beforeEach(() => {
  world = new World()
  server = new Server(world)
})

const names = (handles: readonly { readonly assignment: { readonly handle: string } }[]) => handles.map((held) => held.assignment.handle)

describe('getting work', () => {
  it('has one task in hand and two behind it', async () => {
    const { loop } = await openTab(world, server)
    expect(loop.state.phase).toBe('work')
    expect(loop.state.current?.assignment.handle).toBe('h1')
    expect(names(loop.state.ready)).toEqual(['h2', 'h3'])
  })

  it('shows the next at once on submit, and fills up', async () => {
    const { loop } = await openTab(world, server)
    loop.submit({ annotations: [text('one')] })
    // No waiting in between: this is the same turn of the event loop.
    expect(loop.state.current?.assignment.handle).toBe('h2')
    await world.settle()
    expect(names(loop.state.ready)).toEqual(['h3', 'h4'])
    expect([...server.submits.values()].map((one) => one.handle)).toEqual(['h1'])
    expect(loop.state.save).toBe('saved')
  })

  it('never holds more than five leases, however fast somebody is while offline', async () => {
    server.tasks = 50
    const { loop } = await openTab(world, server)
    server.failing = 'away'
    loop.submit({ annotations: [] })
    loop.submit({ annotations: [] })
    loop.submit({ annotations: [] })
    await world.settle()
    expect(loop.state.current).toBeNull()
    expect(loop.state.waiting).toBe(3)
    server.failing = null
    await world.pass(60)
    expect(server.submits.size).toBe(3)
    expect(server.leases.size).toBeLessThanOrEqual(5)
    expect(loop.state.phase).toBe('work')
  })

  it('says why there is nothing, and asks again by itself', async () => {
    server.tasks = 0
    const { loop } = await openTab(world, server)
    expect(loop.state.phase).toBe('empty')
    expect(loop.state.empty?.reason).toBe('nothing_open')
    expect(loop.state.retryAt).toBe(world.now + 30_000)
    server.tasks = 5
    await world.pass(31)
    expect(loop.state.phase).toBe('work')
  })

  it('goes on with the rest when the queue runs dry', async () => {
    server.tasks = 2
    const { loop } = await openTab(world, server)
    loop.submit({ annotations: [] })
    expect(loop.state.current?.assignment.handle).toBe('h2')
    await world.settle()
    loop.submit({ annotations: [] })
    await world.settle()
    expect(loop.state.phase).toBe('empty')
    expect(server.submits.size).toBe(2)
  })

  it('tries again when the first request fails', async () => {
    server.failing = 'away'
    const { loop } = await openTab(world, server)
    expect(loop.state.phase).toBe('trouble')
    server.failing = null
    await world.pass(5)
    expect(loop.state.phase).toBe('work')
  })
})

describe('nothing is lost', () => {
  it('sends what was done offline for an hour, once each', async () => {
    const { loop, storage } = await openTab(world, server)
    server.failing = 'away'
    loop.submit({ annotations: [text('one')] })
    loop.submit({ annotations: [text('two')] })
    await world.pass(3600)
    expect(loop.state.save).toBe('device')
    expect(await storage.parcels()).toHaveLength(2)
    server.failing = null
    await loop.wake()
    await world.settle()
    expect([...server.submits.values()].map((one) => one.handle)).toEqual(['h1', 'h2'])
    expect(await storage.parcels()).toHaveLength(0)
    expect(loop.state.notices.map((notice) => notice.kind)).toContain('late')
    expect(loop.state.save).toBe('saved')
  })

  it('repeats with the same key when only the answer was lost', async () => {
    const { loop } = await openTab(world, server)
    server.loseReply = true
    loop.submit({ annotations: [text('one')] })
    await world.pass(10)
    expect(server.submits.size).toBe(1)
    expect(loop.state.waiting).toBe(0)
  })

  it('survives a crash with the answer still in the outbox', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    server.failing = 'away'
    first.loop.submit({ annotations: [text('precious')] })
    await world.settle()
    crash(world, first)
    server.failing = null
    const second = await openTab(world, server, storage)
    await world.settle()
    expect([...server.submits.values()].map((one) => one.body.answer.annotations)).toEqual([[text('precious')]])
    expect(second.loop.state.current?.assignment.handle).toBe('h2')
  })

  it('gives the same task with the same work after a reload, with its history', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    first.loop.edit([mark('a')], [text('a')])
    first.loop.edit([mark('a'), mark('b')], [text('b')])
    await world.settle()
    crash(world, first)
    const second = await openTab(world, server, storage)
    expect(second.loop.state.current?.assignment.handle).toBe('h1')
    expect(second.loop.state.current?.draft?.annotations).toEqual([text('b')])
    expect(second.loop.state.current?.draft?.edits).toHaveLength(2)
    expect(names(second.loop.state.ready)).toEqual(['h2', 'h3'])
  })

  it('comes back after an offline reload when the server answers, and asks for nothing else before', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    first.loop.edit([mark('a')], [text('a')])
    await world.settle()
    crash(world, first)
    server.failing = 'away'
    const asked = server.asked.length
    const { loop } = await openTab(world, server, storage)
    expect(loop.state).toMatchObject({ phase: 'trouble', current: null, reachable: false })
    await world.pass(20)
    expect(loop.state.current).toBeNull()
    server.failing = null
    await world.pass(30)
    expect(loop.state.current?.assignment.handle).toBe('h1')
    expect(loop.state.current?.draft?.annotations).toEqual([text('a')])
    expect(names(loop.state.ready)).toEqual(['h2', 'h3'])
    expect(server.asked).toHaveLength(asked)
  })

  it('drops a lease that is nobody’s business here any more, with its draft', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    first.loop.edit([mark('a')], [text('a')])
    await world.settle()
    crash(world, first)
    server.leases.delete('h1')
    const { loop } = await openTab(world, server, storage)
    expect(loop.state.current?.assignment.handle).toBe('h2')
    expect(await storage.draft('t1:label')).toBeNull()
  })

  it('sends what an earlier visit had sealed when the key of its lease is there again', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    server.failing = 'away'
    first.loop.submit({ annotations: [text('one')] })
    await world.settle()
    crash(world, first)
    const [{ id, handle, task, role, at, ...rest }] = (await storage.parcels()) as [Parcel]
    const head = { id, handle, task, role, at, state: 'waiting', title: '' } as const
    let opened = false
    const sealed = { ...storage, parcels: async () => ((await storage.parcels()).length === 0 ? [] : [opened ? ({ ...head, ...rest } as Parcel) : ({ ...head, op: 'sealed' } as const)]) }
    const open = server.open.bind(server)
    server.open = async (asked) => {
      const found = await open(asked)
      opened ||= asked === handle
      return found
    }
    const { loop } = await openTab(world, server, sealed)
    expect(loop.state).toMatchObject({ waiting: 1, save: 'device' })
    server.failing = null
    await world.pass(30)
    expect([...server.submits.values()].map((one) => one.body.answer.annotations)).toEqual([[text('one')]])
    expect(loop.state.waiting).toBe(0)
  })

  it('waits for signing in again and goes on', async () => {
    const { loop } = await openTab(world, server)
    server.failing = 'signin'
    loop.submit({ annotations: [text('one')] })
    await world.settle()
    expect(loop.state.signin).toBe(true)
    expect(loop.state.waiting).toBe(1)
    expect(loop.state.save).toBe('device')
    await world.pass(120)
    server.failing = null
    await loop.signedIn()
    await world.settle()
    expect(loop.state.signin).toBe(false)
    expect(server.submits.size).toBe(1)
  })

  it('keeps what the server refuses, and says why', async () => {
    const { loop, storage } = await openTab(world, server)
    server.refusing = true
    loop.submit({ annotations: [text('one')] })
    await world.settle()
    expect(loop.state.refused.map((parcel) => parcel.why)).toEqual(['The customer has cancelled this task.'])
    expect(loop.state.notices.map((notice) => notice.kind)).toEqual(['refused'])
    expect(await storage.parcels()).toHaveLength(1)
    server.refusing = false
    loop.submit({ annotations: [text('two')] })
    await world.settle()
    expect(server.submits.size).toBe(1)
  })

  it('says so when the device cannot keep it', async () => {
    const storage = { ...inMemory(), putDraft: () => Promise.reject(new Error('full')), putParcel: () => Promise.reject(new Error('full')) }
    const { loop } = await openTab(world, server, storage)
    server.failing = 'away'
    loop.edit([], [text('a')])
    await world.pass(5)
    expect(loop.state.save).toBe('unsafe')
    loop.submit({ annotations: [text('a')] })
    await world.pass(5)
    expect(loop.state.save).toBe('unsafe')
    server.failing = null
    await world.pass(60)
    expect(server.submits.size).toBe(1)
    expect(loop.state.save).toBe('saved')
  })
})

describe('drafts', () => {
  it('go to the device at once and to the server after a pause, versions rising', async () => {
    const { loop, storage } = await openTab(world, server)
    loop.edit([], [text('a')])
    await world.settle()
    expect((await storage.draft('t1:label'))?.body.annotations).toEqual([text('a')])
    expect(server.drafts).toHaveLength(0)
    expect(loop.state.save).toBe('saving')
    await world.pass(1)
    loop.edit([], [text('ab')])
    await world.pass(3)
    loop.edit([], [text('abc')])
    await world.pass(3)
    expect(server.drafts.map((draft) => draft.version)).toEqual([2, 3])
    expect(loop.state.save).toBe('saved')
  })

  it('win over an older draft from elsewhere', async () => {
    const { loop } = await openTab(world, server)
    const lease = server.leases.get('h1')!
    server.leases.set('h1', { ...lease, assignment: { ...lease.assignment, draft: { version: 9, body: { edits: [], annotations: [], seconds: 0 } } } })
    loop.edit([], [text('mine')])
    await world.pass(6)
    expect(server.drafts.at(-1)).toMatchObject({ version: 10, body: { annotations: [text('mine')] } })
  })

  it('go up again when the network is back', async () => {
    const { loop } = await openTab(world, server)
    server.failing = 'away'
    loop.edit([], [text('a')])
    await world.pass(30)
    expect(loop.state.save).toBe('device')
    server.failing = null
    await world.pass(15)
    expect(server.drafts).toHaveLength(1)
    expect(loop.state.save).toBe('saved')
  })

  it('stay on the device only while the answer can be called back', async () => {
    const { loop, storage } = await openTab(world, server)
    for (const words of ['a', 'b', 'c']) {
      loop.edit([], [text(words)])
      loop.submit({ annotations: [text(words)] })
      await world.pass(5)
    }
    expect((await storage.drafts()).map((draft) => draft.slot)).toEqual(['t3:label'])
  })

  it('are not sent after the answer', async () => {
    const { loop } = await openTab(world, server)
    loop.edit([], [text('a')])
    loop.submit({ annotations: [text('a')] })
    await world.pass(20)
    expect(server.drafts).toHaveLength(0)
  })
})

describe('leases', () => {
  it('are kept alive, those in the outbox too', async () => {
    const { loop } = await openTab(world, server)
    await world.pass(LEASE_S * 5)
    expect(loop.state.current?.lost).toBe(false)
    expect([...server.leases.values()].every((lease) => lease.until > world.now)).toBe(true)
  })

  it('when lost, the work goes on and is sent late', async () => {
    const { loop } = await openTab(world, server)
    loop.edit([], [text('long work')])
    for (const lease of server.leases.values()) lease.until = 0
    await world.pass(LEASE_S / 2)
    expect(loop.state.current).toMatchObject({ lost: true, assignment: { handle: 'h1' } })
    expect(loop.state.notices.map((notice) => notice.kind)).toEqual(['lost'])
    loop.submit({ annotations: [text('long work')] })
    await world.settle()
    expect(loop.state.notices.at(-1)).toMatchObject({ kind: 'late', text: 'Its place was still free.' })
    expect(server.submits.size).toBe(1)
  })

  it('are given back on leaving, but never one with work', async () => {
    const { loop } = await openTab(world, server)
    loop.edit([], [text('a')])
    expect(loop.untouched()).toEqual(['h2', 'h3'])
    await loop.leave()
    expect(server.released).toEqual(['h2', 'h3'])
    expect(server.drafts).toHaveLength(1)
  })

  it('belong to one tab each', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    const second = await openTab(world, server, storage)
    expect(first.loop.state.current?.assignment.handle).toBe('h1')
    expect(second.loop.state.current?.assignment.handle).toBe('h4')
    expect(server.asked.at(-1)?.have).toEqual(expect.arrayContaining(['h1', 'h2', 'h3']))
    expect(server.leases.size).toBe(5)
  })

  it('are taken over from a tab that has crashed, by one tab only', async () => {
    const storage = inMemory()
    crash(world, await openTab(world, server, storage))
    const [second, third] = [await openTab(world, server, storage), await openTab(world, server, storage)]
    const handles = [second, third].flatMap(({ loop }) => [...(loop.state.current ? [loop.state.current] : []), ...loop.state.ready]).map((held) => held.assignment.handle)
    expect(new Set(handles).size).toBe(handles.length)
    expect(handles).toContain('h1')
  })
})

describe('calling back', () => {
  it('takes an unsent answer out of the outbox', async () => {
    const { loop } = await openTab(world, server)
    server.failing = 'away'
    loop.edit([mark('a')], [text('a')])
    loop.submit({ annotations: [text('a')] })
    await world.settle()
    expect(await loop.recall()).toBe(true)
    expect(loop.state.current?.assignment.handle).toBe('h1')
    expect(loop.state.current?.draft).toMatchObject({ annotations: [text('a')], edits: [{ name: 'write a' }] })
    expect(loop.state.waiting).toBe(0)
    expect(names(loop.state.ready)).toEqual(['h2', 'h3'])
    server.failing = null
    await world.pass(60)
    expect(server.submits.size).toBe(0)
  })

  it('asks the server for one that was sent, with its history', async () => {
    const { loop } = await openTab(world, server)
    loop.edit([mark('a')], [text('a')])
    loop.submit({ annotations: [text('a')] })
    await world.settle()
    loop.edit([mark('x')], [text('x')])
    expect(await loop.recall()).toBe(true)
    expect(loop.state.current?.assignment.handle).toBe('h1')
    expect(loop.state.current?.draft?.edits).toHaveLength(1)
    expect(loop.state.ready[0]?.draft?.annotations).toEqual([text('x')])
    loop.submit({ annotations: [text('b')] })
    await world.settle()
    expect([...server.submits.values()].map((one) => one.body.answer.annotations)).toEqual([[text('b')]])
    expect(loop.state.current?.draft?.annotations).toEqual([text('x')])
  })

  it('says why when it is too late', async () => {
    const { loop } = await openTab(world, server)
    loop.submit({ annotations: [] })
    await world.settle()
    server.submits.clear()
    expect(await loop.recall()).toBe(false)
    expect(loop.state.notices.at(-1)).toMatchObject({ kind: 'recall', text: 'It has been reviewed already.' })
    expect(loop.state.current?.assignment.handle).toBe('h2')
  })
})

describe('skipping', () => {
  it('goes through the outbox like everything else', async () => {
    const { loop } = await openTab(world, server)
    server.failing = 'away'
    loop.skip('unclear', 'what is a van')
    expect(loop.state.current?.assignment.handle).toBe('h2')
    await world.settle()
    server.failing = null
    await world.pass(30)
    expect(server.skipped).toEqual(['h1'])
  })
})

describe('one at a time (pilot)', () => {
  it('asks for the next only when the server has the last', async () => {
    const { loop } = await openTab(world, server, inMemory(), { ahead: 0 })
    expect(loop.state.ready).toEqual([])
    server.failing = 'away'
    loop.submit({ annotations: [] })
    await world.settle()
    expect(loop.state.current).toBeNull()
    server.failing = null
    await world.pass(10)
    expect(server.submits.size).toBe(1)
    expect(loop.state.current?.assignment.handle).toBe('h2')
  })
})

describe('time', () => {
  it('counts only while somebody is there', async () => {
    const { loop } = await openTab(world, server)
    world.now += 30_000
    loop.clock.activity()
    world.now += 600_000
    expect(loop.clock.read()).toBe(90)
    loop.clock.setVisible(false)
    world.now += 30_000
    loop.clock.setVisible(true)
    world.now += 5_000
    expect(loop.clock.read()).toBe(95)
    loop.submit({ annotations: [] })
    await world.settle()
    expect([...server.submits.values()][0]?.body.seconds).toBe(95)
    expect(loop.clock.read()).toBe(0)
  })
})

describe('questions to the customer', () => {
  it('wait while there is no connection, and go out once', async () => {
    const storage = inMemory()
    const { loop } = await openTab(world, server, storage)
    server.failing = 'away'
    expect(await loop.ask('Is this a car?')).toBe('waiting')
    expect(loop.state.current?.assignment.handle).toBe('h1')
    expect(await storage.parcels()).toHaveLength(1)
    server.failing = null
    server.loseReply = true
    await world.pass(60)
    expect([...server.questions.values()]).toEqual([{ handle: 'h1', text: 'Is this a car?' }])
    expect(await storage.parcels()).toEqual([])
    expect(await loop.ask('And this?')).toBe('sent')
  })

  it('survive a crash, and leave the task in hand as it was', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    server.failing = 'away'
    first.loop.edit([mark('a')], [text('a')])
    await first.loop.ask('Is this a car?')
    crash(world, first)
    server.failing = null
    const second = await openTab(world, server, storage)
    await world.pass(5)
    expect(server.questions.size).toBe(1)
    expect(second.loop.state.current?.draft?.annotations).toEqual([text('a')])
  })
})

describe('the time on a task', () => {
  it('survives a reload, edited or not', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    first.loop.edit([mark('a')], [text('a')])
    for (let i = 0; i < 4; i++) {
      await world.pass(30)
      first.loop.clock.activity()
    }
    crash(world, first)
    const second = await openTab(world, server, storage)
    expect(second.loop.clock.read()).toBeGreaterThanOrEqual(115)
    second.loop.submit({ annotations: [] })
    await world.settle()
    expect([...server.submits.values()][0]?.body.seconds).toBeGreaterThanOrEqual(115)
    expect(await storage.noteKeys('looked:t1')).toEqual([])
  })

  it('of a task that was only looked at waits for it to come back', async () => {
    const storage = inMemory()
    const first = await openTab(world, server, storage)
    await world.pass(40)
    crash(world, first)
    const second = await openTab(world, server, storage)
    expect(second.loop.state.current?.assignment.handle).toBe('h1')
    expect(second.loop.clock.read()).toBeGreaterThanOrEqual(35)
    expect(second.loop.clock.read()).toBeLessThanOrEqual(40)
  })
})

describe('a device without room', () => {
  it('is told plainly, once; the work goes on in memory and to the server', async () => {
    const storage = inMemory()
    let room = false
    const putDraft = storage.putDraft.bind(storage)
    storage.putDraft = (draft) => (room ? putDraft(draft) : Promise.reject(new DOMException('full', 'QuotaExceededError')))
    const { loop } = await openTab(world, server, storage)
    server.failing = 'away'
    loop.edit([mark('a')], [text('a')])
    loop.edit([mark('a'), mark('b')], [text('b')])
    await world.pass(3)
    expect(loop.state).toMatchObject({ full: true, save: 'unsafe' })
    expect(loop.state.notices.filter((notice) => notice.kind === 'full')).toHaveLength(1)
    server.failing = null
    await world.pass(30)
    expect(server.drafts.at(-1)?.body).toMatchObject({ annotations: [text('b')] })
    expect(loop.state.save).toBe('saved')
    room = true
    loop.edit([mark('a'), mark('b'), mark('c')], [text('c')])
    await world.settle()
    expect(loop.state.full).toBe(false)
    expect((await storage.draft('t1:label'))?.body.annotations).toEqual([text('c')])
  })

  it('keeps an answer in memory until the server has it', async () => {
    const storage = inMemory()
    storage.putParcel = () => Promise.reject(new DOMException('full', 'QuotaExceededError'))
    const { loop } = await openTab(world, server, storage)
    server.failing = 'away'
    loop.submit({ annotations: [text('a')] })
    await world.pass(3)
    expect(loop.state).toMatchObject({ full: true, save: 'unsafe', waiting: 1 })
    server.failing = null
    await world.pass(60)
    expect(server.submits.size).toBe(1)
    expect(loop.state).toMatchObject({ full: false, save: 'saved', waiting: 0 })
  })
})

describe('a draft that the server will not take', () => {
  it('is kept on the device, and the hold on the task is not given up', async () => {
    const storage = inMemory()
    const { loop } = await openTab(world, server, storage)
    server.draft = () => Promise.reject(new ApiError(413, 'invalid', 'Too large', 'The body is larger than 5 MB.', ''))
    loop.edit([mark('a')], [text('a')])
    await world.pass(20)
    expect(loop.state.current?.lost).toBe(false)
    expect(loop.state.save).toBe('device')
    expect((await storage.draft('t1:label'))?.body.annotations).toEqual([text('a')])
  })
})

describe('the training course', () => {
  const feedback = { score: 0.5, expected: { annotations: [text('right')] }, done: 1, of: 2, course: 'open' as const }

  it('sets the expected answer beside the one that was given, in the order of the answers', async () => {
    server.feedback = feedback
    const { loop } = await openTab(world, server)
    loop.submit({ annotations: [text('mine')] })
    loop.submit({ annotations: [] })
    await world.settle()
    expect(loop.state.lessons.map((lesson) => lesson.assignment.handle)).toEqual(['h1', 'h2'])
    expect(loop.state.lessons[0]).toMatchObject({ answer: { annotations: [text('mine')] }, feedback })
    expect(loop.state.notices).toEqual([])
    loop.learned(loop.state.lessons[0]!.id)
    expect(loop.state.lessons.map((lesson) => lesson.assignment.handle)).toEqual(['h2'])
  })

  it('waits with it until the server can be reached', async () => {
    server.feedback = feedback
    const { loop } = await openTab(world, server)
    server.failing = 'away'
    loop.submit({ annotations: [text('mine')] })
    await world.pass(3)
    expect(loop.state.lessons).toEqual([])
    server.failing = null
    await world.pass(10)
    expect(loop.state.lessons).toHaveLength(1)
  })

  it('has nothing to say about live work', async () => {
    const { loop } = await openTab(world, server)
    loop.submit({ annotations: [text('mine')] })
    await world.settle()
    expect(loop.state.lessons).toEqual([])
  })
})
