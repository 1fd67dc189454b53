import { describe, expect, test } from 'vitest'
import { addEdit, applyEdits, patchEdit } from './edits'
import { type History, MAX_MARKS, emptyHistory, fits, record, redo, restore, store, undo } from './history'
import { Scene } from './scene'

interface Card {
  readonly id: string
  readonly x: number
  readonly name?: string
}

const isCard = (value: unknown): value is Card => typeof value === 'object' && value !== null && 'id' in value && 'x' in value
const empty = Scene.of<Card>([], () => null)

function drawn(): { scene: Scene<Card>; history: History<Card> } {
  let scene = empty
  let history = emptyHistory<Card>()
  const doIt = (name: string, edits: Parameters<typeof applyEdits<Card>>[1], at_ms: number, join?: string): void => {
    scene = applyEdits(scene, edits)
    history = record(history, { name, edits, at_ms, ...(join ? { join } : {}) })
  }
  doIt('box', [addEdit(scene, { id: 'a', x: 0 })], 0)
  doIt('move', [patchEdit(scene.get('a'), { x: 5 })].filter((e) => e !== null), 5_000)
  return { scene, history }
}

describe('history', () => {
  test('back and forth', () => {
    const { scene, history } = drawn()
    const first = undo(history)
    expect(first?.mark.name).toBe('move')
    const back = applyEdits(scene, first?.edits ?? [])
    expect(back.get('a').x).toBe(0)
    const again = redo(first?.history as History<Card>)
    expect(applyEdits(back, again?.edits ?? []).get('a').x).toBe(5)
    expect(undo(emptyHistory())).toBeNull()
    expect(redo(history)).toBeNull()
  })

  test('doing something new forgets what was undone', () => {
    const { history } = drawn()
    const back = undo(history)?.history as History<Card>
    expect(back.undone).toHaveLength(1)
    const next = record(back, { name: 'class', edits: [{ op: 'patch', id: 'a', before: {}, after: { name: 'car' } }], at_ms: 9_000 })
    expect(next.undone).toHaveLength(0)
  })

  test('nudges in a row are one mark and one patch; after a pause a new one', () => {
    let scene = applyEdits(empty, [addEdit(empty, { id: 'a', x: 0 })])
    let history = emptyHistory<Card>()
    for (const at_ms of [0, 100, 200, 10_000]) {
      const edit = patchEdit(scene.get('a'), { x: scene.get('a').x + 1 })
      if (!edit) throw new Error('no edit')
      scene = applyEdits(scene, [edit])
      history = record(history, { name: 'nudge', edits: [edit], at_ms, join: 'nudge:a' })
    }
    expect(history.done.map((m) => m.edits)).toEqual([
      [{ op: 'patch', id: 'a', before: { x: 0 }, after: { x: 3 } }],
      [{ op: 'patch', id: 'a', before: { x: 3 }, after: { x: 4 } }],
    ])
    expect(fits(history, scene)).toBe(true)
  })

  test('a shape that is drawn, then named, is one addition', () => {
    let history = record(emptyHistory<Card>(), { name: 'box', edits: [addEdit(empty, { id: 'a', x: 0 })], at_ms: 0, join: 'new:a' })
    history = record(history, { name: 'class', edits: [{ op: 'patch', id: 'a', before: {}, after: { name: 'car' } }], at_ms: 60_000, join: 'new:a' }, Infinity)
    expect(history.done).toHaveLength(1)
    expect(history.done[0]?.edits).toEqual([{ op: 'add', item: { id: 'a', x: 0, name: 'car' }, at: 0 }])
  })

  test('survives a reload, with what was undone', () => {
    const { scene, history } = drawn()
    const back = undo(history)
    const there = applyEdits(scene, back?.edits ?? [])
    const kept = restore(JSON.parse(JSON.stringify(store(back?.history as History<Card>))), isCard)
    expect(kept).toEqual(back?.history)
    expect(fits(kept as History<Card>, there)).toBe(true)
    expect(fits(history, empty)).toBe(false)
  })

  test('what is not a history is not restored', () => {
    for (const value of [null, {}, [1], [{ name: 'x' }], [{ name: 'x', edits: [{ op: 'zap' }], at_ms: 0 }]]) {
      expect(restore(value, isCard)).toBeNull()
    }
  })

  test('does not grow without end', () => {
    let history = emptyHistory<Card>()
    for (let i = 0; i < MAX_MARKS + 5; i++) {
      history = record(history, { name: 'move', edits: [{ op: 'patch', id: 'a', before: { x: i }, after: { x: i + 1 } }], at_ms: i })
    }
    expect(history.done).toHaveLength(MAX_MARKS)
  })
})
