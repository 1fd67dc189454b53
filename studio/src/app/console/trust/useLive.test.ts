import { describe, expect, it } from 'vitest'
import type { TrustEvent } from './types'
import { joined } from './useLive'

const event = (id: string, counter: number | null = null): TrustEvent => ({ id, at: '', who: '', what: '', about: null, counter, detail: {} })

describe('the list of events', () => {
  it('keeps older pages below what comes in, each event once, and its number as soon as it has one', () => {
    const held = [event('3'), event('2', 2), event('1', 1)]
    const fresh = [event('5'), event('4', 4), event('3', 3)]
    const list = joined(fresh, held)
    expect(list.map((one) => one.id)).toEqual(['5', '4', '3', '2', '1'])
    expect(list.find((one) => one.id === '3')?.counter).toBe(3)
  })
})
