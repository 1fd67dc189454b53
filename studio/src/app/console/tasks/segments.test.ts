import { expect, it } from 'vitest'
import { segmentsOf } from './segments'

const span = (id: string, start: number, end: number) => ({ id, kind: 'span' as const, class: 'x', start, end })

it('cuts at every boundary, in code points', () => {
  const found = segmentsOf('😀 Bank of England', [span('a', 2, 17), span('b', 10, 17)])
  expect(found.map((item) => [item.text, item.spans.map((one) => one.id).join('')])).toEqual([
    ['😀 ', ''],
    ['Bank of ', 'a'],
    ['England', 'ab'],
  ])
  expect(found[2]?.starts.map((one) => one.id)).toEqual(['b'])
})

it('keeps text whole whatever the spans are', () => {
  expect(segmentsOf('abc', [span('a', 1, 99), span('b', 50, 60)]).map((item) => item.text).join('')).toBe('abc')
  expect(segmentsOf('', [span('a', 0, 1)])).toEqual([])
})
