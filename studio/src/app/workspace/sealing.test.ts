import { describe, expect, it } from 'vitest'
import { LeaseKeys, withKeys } from './sealing'
import { Server, World } from './testing'

const KEY = btoa('k'.repeat(32))
const OTHER = btoa('o'.repeat(32))
const textOf = (sealed: Uint8Array): string => String.fromCharCode(...sealed)

describe('what the device keeps', () => {
  it('opens with the key of its task, in its own place, and is not readable without', async () => {
    const keys = new LeaseKeys()
    keys.give('t1:label', KEY)
    keys.give('t2:label', KEY)
    const sealed = await keys.seal('t1:label', 'rest', { words: 'NIGHTJAR' })
    expect(textOf(sealed)).not.toContain('NIGHTJAR')
    expect(await keys.open('t1:label', 'rest', sealed)).toEqual({ words: 'NIGHTJAR' })
    await expect(keys.open('t1:label', '5', sealed)).rejects.toThrow()
    await expect(keys.open('t2:label', 'rest', sealed)).rejects.toThrow()
    const altered = sealed.slice()
    altered[20]! ^= 1
    await expect(keys.open('t1:label', 'rest', altered)).rejects.toThrow()
  })

  it('never seals the same in the same way', async () => {
    const keys = new LeaseKeys()
    keys.give('t1:label', KEY)
    expect(textOf(await keys.seal('t1:label', 'rest', 1))).not.toBe(textOf(await keys.seal('t1:label', 'rest', 1)))
  })

  it('opens to nobody after a sign-out, nor with a key of somebody else', async () => {
    const keys = new LeaseKeys()
    keys.give('t1:label', KEY)
    const sealed = await keys.seal('t1:label', 'rest', 'words')
    keys.clear()
    expect(keys.has('t1:label')).toBe(false)
    await expect(keys.open('t1:label', 'rest', sealed)).rejects.toThrow('no key')
    keys.give('t1:label', OTHER)
    await expect(keys.open('t1:label', 'rest', sealed)).rejects.toThrow()
  })
})

describe('keys', () => {
  it('are taken off the leases that bring them, and go no further', async () => {
    const keys = new LeaseKeys()
    const server = new Server(new World())
    const api = withKeys(
      {
        next: async (want: number, role: 'label' | 'review') => {
          const { assignments, empty } = await server.next(want, role, [])
          return { assignments: assignments.map((one) => ({ ...one, draft_key: KEY })), empty }
        },
        open: (handle: string) => server.open(handle),
        recall: (handle: string) => server.recall(handle),
      },
      keys,
    )
    const { assignments } = await api.next(2, 'label')
    expect(assignments.map((one) => 'draft_key' in one)).toEqual([false, false])
    expect(['t1:label', 't2:label', 't1:review'].map((slot) => keys.has(slot))).toEqual([true, true, false])
  })
})
