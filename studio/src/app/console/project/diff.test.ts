import { expect, it } from 'vitest'
import { diffLines } from './diff'

it('tells what went and what came', () => {
  expect(diffLines('a\nb\nc', 'a\nx\nc\nd')).toEqual([
    { kind: 'same', text: 'a' },
    { kind: 'gone', text: 'b' },
    { kind: 'new', text: 'x' },
    { kind: 'same', text: 'c' },
    { kind: 'new', text: 'd' },
  ])
  expect(diffLines('a', 'a')).toEqual([{ kind: 'same', text: 'a' }])
})
