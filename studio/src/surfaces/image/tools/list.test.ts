import { describe, expect, test } from 'vitest'
import { cancel, down, key, move, up } from '../../../kernel/play'
import { TOOL_KEYS, TOOL_NAMES, toolOf } from './list'
import { boxAt, play, sceneOf } from './testing'

describe.each([...TOOL_NAMES])('law: the %s tool', (name) => {
  const tool = toolOf(name)

  test('leaves keys alone that mean nothing to it', () => {
    for (const k of ['b', 'v', '1', 'ArrowLeft', 'Delete', 'Enter']) expect(play(tool, [key(k)]).last.used, k).toBe(false)
  })

  test('called off, it has done nothing and is not busy', () => {
    const done = play(tool, [down(10, 10), move(90, 90), cancel()], { scene: sceneOf(boxAt('a', 0, 0)) })
    expect(done.edits).toEqual([])
    expect(tool.busy(done.state)).toBe(false)
    expect(done.last.preview).toBeUndefined()
  })

  test('an up without a down does no harm', () => {
    expect(play(tool, [up(5, 5), move(9, 9), up(9, 9)]).edits).toEqual([])
  })

  test('edits nothing for who only reads', () => {
    const events = [down(10, 10), move(90, 90), up(), down(200, 200), up(), down(10, 300), up(), key('Enter'), key('Delete')]
    expect(play(tool, events, { readOnly: true, scene: sceneOf(boxAt('a', 0, 0)) }).edits).toEqual([])
  })
})

test('each tool has a key of its own', () => {
  expect(new Set(Object.values(TOOL_KEYS)).size).toBe(TOOL_NAMES.length)
})
