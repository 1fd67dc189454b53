import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bodyHeight, HEAD, ROW, scrollTo, TALLEST, viewOf } from './gridView'

const client = 600

describe('rows in a scrolling box', () => {
  it('stand where they are as long as the box can be as tall', () => {
    expect(bodyHeight(100_000)).toBe(100_000 * ROW)
    expect(viewOf(4_800, client, 100_000)).toEqual({ first: 92, last: 121, shift: 0 })
  })
  it('reach the first and the last row, however many there are', () => {
    for (const count of [1, 20, 100_000, 1_000_000, 40_000_000]) {
      expect(bodyHeight(count)).toBeLessThanOrEqual(TALLEST)
      expect(viewOf(0, client, count).first).toBe(0)
      const most = Math.max(0, HEAD + bodyHeight(count) - client)
      const end = viewOf(most, client, count)
      expect(end.last).toBe(count)
      // the last row ends where the box ends
      expect(count * ROW + end.shift).toBe(count * ROW > TALLEST ? TALLEST : count * ROW)
    }
  })
  it('come into sight, and are then in sight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (count, where, from) => {
        const at = Math.min(count - 1, Math.floor(where * count))
        const most = Math.max(0, HEAD + bodyHeight(count) - client)
        const to = scrollTo(at, from * most, client, count) ?? from * most
        const view = viewOf(Math.min(most, to), client, count)
        expect(view.first <= at && at < view.last).toBe(true)
        const y = at * ROW + view.shift - Math.min(most, to)
        expect(y).toBeGreaterThanOrEqual(-2)
        expect(y + ROW + HEAD).toBeLessThanOrEqual(client + 2)
      }),
    )
  })
})
