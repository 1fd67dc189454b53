import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pack, unpack } from './pack'
import { cut, type Piece } from './pieces'
import type { Draft } from './types'

const boxes = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `b${i * 7919}`, kind: 'box' as const, class: 'car', x: i + 0.123, y: i * 1.7, w: 10, h: 10 }))
const counter = () => {
  let last = 0
  return () => ++last
}
const all = (pieces: readonly Piece[]) => pieces.flatMap((piece) => piece.items)

describe('pieces', () => {
  it('an edit of one shape in twenty thousand writes one piece', () => {
    const next = counter()
    const items = boxes(20_000)
    const before = cut(items, [], next).pieces
    expect(before.length).toBeGreaterThan(200)
    const changed = [...items]
    changed[12_345] = { ...items[12_345]!, w: 99 }
    const now = cut(changed, before, next)
    expect(now.fresh).toHaveLength(1)
    expect(now.gone).toHaveLength(1)
    expect(all(now.pieces)).toEqual(changed)
  })

  it('taking the first shape away leaves all other pieces as they were', () => {
    const next = counter()
    const items = boxes(20_000)
    const before = cut(items, [], next).pieces
    const now = cut(items.slice(1), before, next)
    // Where a piece was full, its neighbours shift until the next natural end.
    expect(now.fresh.length).toBeLessThan(8)
    expect(all(now.pieces)).toEqual(items.slice(1))
  })

  it('are always the list, whatever was done to it', () => {
    const item = fc.record({ id: fc.string({ maxLength: 4 }) })
    fc.assert(
      fc.property(fc.array(fc.array(item, { maxLength: 300 }), { maxLength: 6 }), (lists) => {
        const next = counter()
        const device = new Map<number, readonly unknown[]>()
        let pieces: readonly Piece[] = []
        for (const list of lists) {
          const now = cut(list, pieces, next)
          for (const key of now.gone) device.delete(key)
          for (const piece of now.fresh) device.set(piece.key, piece.items)
          pieces = now.pieces
          expect(pieces.flatMap((piece) => device.get(piece.key)!)).toEqual(list)
          expect(device.size).toBe(pieces.length)
        }
      }),
    )
  })
})

describe('a packed draft', () => {
  it('is small, and comes back whole', async () => {
    const draft: Draft = { annotations: boxes(20_000), edits: boxes(2_000).map((item, at_ms) => ({ name: 'box', at_ms, edits: [{ op: 'add', item, at: 0 }] })), seconds: 3 }
    const { body, size } = await pack(draft)
    expect(size).toBeGreaterThan(1_000_000)
    expect(JSON.stringify(body).length).toBeLessThan(size / 3)
    expect(await unpack(JSON.parse(JSON.stringify(body)) as typeof body)).toEqual(draft)
  })

  it('is the draft itself when it is small', async () => {
    const draft: Draft = { annotations: boxes(3), edits: [], seconds: 1 }
    expect((await pack(draft)).body).toBe(draft)
    expect(await unpack(draft)).toBe(draft)
  })
})
