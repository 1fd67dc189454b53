import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addEdit, addEdits, applyEdits, changeEdit, type Edit, invertAll, patchEdit, readEdit, removeEdits } from './edits'
import { pack } from './packed'
import { Scene } from './scene'
import { meets, type Rect } from './vec'

interface Card extends Rect {
  readonly id: string
  readonly note?: string
}

const whole = fc.integer({ min: 0, max: 500 })
const rects: fc.Arbitrary<Rect> = fc.record({ x: whole, y: whole, w: fc.integer({ min: 0, max: 80 }), h: fc.integer({ min: 0, max: 80 }) })
const cards = fc.array(rects, { maxLength: 300 }).map((list) => list.map((r, i): Card => ({ id: `c${i}`, ...r })))
const sceneOf = (list: readonly Card[]): Scene<Card> => Scene.of(list, (c) => c)
const isCard = (value: unknown): value is Card => typeof value === 'object' && value !== null && 'id' in value

describe('packed index', () => {
  test('finds exactly what a plain look at all finds', () => {
    fc.assert(
      fc.property(fc.array(rects, { maxLength: 400 }), rects, (list, query) => {
        const found: number[] = []
        pack(list).search(query, (i) => found.push(i))
        const plain = list.flatMap((r, i) => (meets(r, query) ? [i] : []))
        expect(found.sort((a, b) => a - b)).toEqual(plain)
      }),
    )
  })
})

describe('scene', () => {
  test('an id used twice is refused', () => {
    expect(() => sceneOf([{ id: 'a', x: 0, y: 0, w: 1, h: 1 }, { id: 'a', x: 0, y: 0, w: 1, h: 1 }])).toThrow('twice')
  })

  test('one() wants exactly one', () => {
    expect(() => sceneOf([]).one()).toThrow()
    expect(sceneOf([{ id: 'a', x: 0, y: 0, w: 1, h: 1 }]).one().id).toBe('a')
  })

  test('search sees edits made after the index was packed, back to front', () => {
    fc.assert(
      fc.property(cards, rects, fc.array(fc.tuple(fc.nat(299), whole, whole), { maxLength: 200 }), (list, query, moves) => {
        let scene = sceneOf(list)
        scene.search(query)
        for (const [i, x, y] of moves) {
          const card = list[i]
          if (!card) continue
          const edit = patchEdit(scene.get(card.id), { x, y })
          if (edit) scene = applyEdits(scene, [edit])
        }
        const plain = scene.items().filter((c) => meets(c, query)).map((c) => c.id)
        expect(scene.search(query).map((c) => c.id)).toEqual(plain)
      }),
    )
  })

  test('the old scene stays what it was', () => {
    const before = sceneOf([{ id: 'a', x: 0, y: 0, w: 1, h: 1 }])
    const after = applyEdits(before, removeEdits(before, ['a']))
    expect(before.size).toBe(1)
    expect(after.size).toBe(0)
    expect(after.search({ x: 0, y: 0, w: 9, h: 9 })).toEqual([])
  })
})

type Doing = readonly ['add' | 'remove' | 'patch' | 'note' | 'replace', number, number]
const doings: fc.Arbitrary<readonly Doing[]> = fc.array(
  fc.tuple(fc.constantFrom('add', 'remove', 'patch', 'note', 'replace'), fc.nat(20), whole) as fc.Arbitrary<Doing>,
  { maxLength: 30 },
)

function perform(scene: Scene<Card>, [what, i, n]: Doing, count: number): Edit<Card>[] {
  const card = scene.items()[i % Math.max(1, scene.size)]
  if (what === 'add') return [addEdit(scene, { id: `n${count}`, x: n, y: n, w: 5, h: 5 })]
  if (!card) return []
  if (what === 'remove') return removeEdits(scene, [card.id])
  if (what === 'replace') return [{ op: 'replace', before: card, after: { ...card, x: n } }]
  const edit = what === 'patch' ? patchEdit(card, { x: n, w: n }) : patchEdit(card, { note: n % 2 === 0 ? undefined : `note ${n}` })
  return edit ? [edit] : []
}

describe('edits', () => {
  test('what is done can be undone and done again, also after a trip through JSON', () => {
    fc.assert(
      fc.property(cards, doings, (list, steps) => {
        const start = sceneOf(list.slice(0, 20))
        let scene = start
        const all: Edit<Card>[] = []
        steps.forEach((step, count) => {
          const edits = perform(scene, step, count)
          scene = applyEdits(scene, edits)
          all.push(...edits)
        })
        const kept = (JSON.parse(JSON.stringify(all)) as unknown[]).map((e) => readEdit(e, isCard) as Edit<Card>)
        const back = applyEdits(scene, invertAll(kept))
        expect(back.items()).toEqual(start.items())
        expect(applyEdits(back, kept).items()).toEqual(scene.items())
      }),
    )
  })

  test('several removed at once come back in their places', () => {
    const scene = sceneOf(Array.from({ length: 9 }, (_, i) => ({ id: `c${i}`, x: i, y: 0, w: 1, h: 1 })))
    const edits = removeEdits(scene, ['c1', 'c7', 'c4', 'c1', 'nobody'])
    const after = applyEdits(scene, edits)
    expect(after.order).toEqual(['c0', 'c2', 'c3', 'c5', 'c6', 'c8'])
    expect(applyEdits(after, invertAll(edits)).order).toEqual(scene.order)
  })

  test('edits that do not fit throw and change nothing', () => {
    const scene = sceneOf([{ id: 'a', x: 0, y: 0, w: 1, h: 1 }])
    expect(() => applyEdits(scene, [addEdit(scene, { id: 'a', x: 0, y: 0, w: 1, h: 1 })])).toThrow('exists')
    expect(() => applyEdits(scene, [{ op: 'patch', id: 'b', before: {}, after: { x: 1 } }])).toThrow('no item')
    expect(() => applyEdits(scene, [{ op: 'patch', id: 'a', before: {}, after: { id: 'z' } }])).toThrow('keeps the id')
    expect(() => applyEdits(scene, [...removeEdits(scene, ['a']), ...removeEdits(scene, ['a'])])).toThrow()
    expect(scene.one().x).toBe(0)
  })

  test('a patch holds only what differs', () => {
    const card: Card = { id: 'a', x: 0, y: 0, w: 1, h: 1, note: 'old' }
    expect(patchEdit(card, { x: 0, w: 1 })).toBeNull()
    expect(changeEdit(card, { id: 'a', x: 3, y: 0, w: 1, h: 1 })).toEqual({
      op: 'patch',
      id: 'a',
      before: { x: 0, note: 'old' },
      after: { x: 3 },
    })
  })

  test('what is not an edit is not read', () => {
    for (const value of [null, 7, [], {}, { op: 'add', item: 3, at: 0 }, { op: 'add', item: { id: 'a' }, at: -1 }, { op: 'patch', id: 1, before: {}, after: {} }, { op: 'replace', before: { id: 'a' }, after: { id: 'b' } }]) {
      expect(readEdit(value, isCard)).toBeNull()
    }
  })

  test('5,000 shapes: adding, finding and moving are quick', () => {
    const list = Array.from({ length: 5_000 }, (_, i): Card => ({ id: `c${i}`, x: (i * 37) % 2000, y: (i * 91) % 1500, w: 20, h: 20 }))
    let scene = applyEdits(sceneOf([]), addEdits(sceneOf([]), list))
    const began = performance.now()
    for (let i = 0; i < 50; i++) {
      scene = applyEdits(scene, [patchEdit(scene.get(`c${i * 7}`), { x: i })].filter((e) => e !== null))
      scene.search({ x: i, y: i, w: 10, h: 10 })
    }
    // about 0.5 ms each on a busy machine; the bound only catches a scan that grew a power
    expect(performance.now() - began).toBeLessThan(1_500)
  })
})
