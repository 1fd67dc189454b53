import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SpanAnnotation } from '../../model/types'
import { splitRows } from './layout'
import { indexText } from './offsets'
import { occurrencesOf, readsLeft, stepCharacter, stepWord, trimRange, unlabelled, wordAt } from './words'

const open = (text: string) => {
  const index = indexText(text)
  return { index, rows: splitRows(index) }
}
const find = (text: string, needle: string, nth = 0) => {
  const points = Array.from(text)
  const wanted = Array.from(needle)
  let seen = 0
  for (let i = 0; i <= points.length - wanted.length; i++) if (wanted.every((c, j) => points[i + j] === c) && seen++ === nth) return { start: i, end: i + wanted.length }
  throw new Error('not there')
}

describe('stepping', () => {
  it('takes a joined emoji and a marked letter as one', () => {
    const { index, rows } = open('a👩‍👩‍👧e\u0301b')
    const stops = [0]
    for (let at = 0; at < index.length; ) stops.push((at = stepCharacter(index, rows, at, 1)))
    expect(stops).toEqual([0, 1, 6, 8, 9])
  })

  it('crosses line ends in one step each way', () => {
    const { index, rows } = open('ab\r\ncd')
    expect(stepCharacter(index, rows, 2, 1)).toBe(4)
    expect(stepCharacter(index, rows, 4, -1)).toBe(2)
  })

  it('goes by word, also in Japanese', () => {
    const { index, rows } = open('Tom Hart, 東京大学')
    expect(stepWord(index, rows, 0, 1)).toBe(3)
    expect(stepWord(index, rows, 3, 1)).toBe(8)
    expect(stepWord(index, rows, 8, -1)).toBe(4)
    expect(stepWord(index, rows, 10, 1)).toBeGreaterThan(10)
    expect(stepWord(index, rows, 10, 1)).toBeLessThanOrEqual(14)
  })

  it('always gets to both ends', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('ab', ' ', '\n', '😀', 'e\u0301', '\r\n', 'שלום')).map((p) => p.join('')), (text) => {
        const { index, rows } = open(text)
        for (const step of [stepCharacter, stepWord]) {
          let at = 0
          for (let i = 0; i <= text.length + 1; i++) at = step(index, rows, at, 1)
          expect(at).toBe(rows.at(-1)!.end)
          for (let i = 0; i <= text.length + 1; i++) at = step(index, rows, at, -1)
          expect(at).toBe(0)
        }
      }),
    )
  })

  it('finds the word under a place', () => {
    const { index, rows } = open('see Évora, now')
    expect(wordAt(index, rows, 6)).toEqual({ start: 4, end: 9 })
  })
})

describe('trimming', () => {
  it('leaves white space out', () => {
    const { index } = open('😀  Tom \n')
    expect(trimRange(index, { start: 1, end: 8 })).toEqual({ start: 3, end: 6 })
    expect(trimRange(index, { start: 1, end: 3 })).toBeNull()
  })
})

describe('other occurrences', () => {
  it('are whole words', () => {
    const text = 'Hart met Hartmann. hart, Hart! 😀Hart'
    const { index } = open(text)
    expect(occurrencesOf(index, find(text, 'Hart'))).toEqual([find(text, 'Hart'), find(text, 'Hart', 2), find(text, 'Hart', 3)])
  })

  it('may be parts of words when the sample is one', () => {
    const text = 'Hartmann and Hartwell'
    const { index } = open(text)
    expect(occurrencesOf(index, { start: 0, end: 4 })).toHaveLength(2)
  })

  it('need no spaces in Chinese', () => {
    const text = '東京大学は東京にある'
    expect(occurrencesOf(open(text).index, { start: 0, end: 2 })).toHaveLength(2)
  })

  it('do not tear a letter from its mark', () => {
    const text = 'cafe cafe\u0301 cafe'
    expect(occurrencesOf(open(text).index, { start: 0, end: 4 }).map((place) => place.start)).toEqual([0, 11])
  })

  it('always read the same, never overlap, and include the sample', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', ' ', '😀', 'aa')).map((p) => p.join('')), fc.nat(10), fc.integer({ min: 1, max: 4 }), (text, start, size) => {
        const { index } = open(text)
        const sample = { start, end: Math.min(start + size, index.length) }
        if (sample.end <= sample.start || index.slice(sample.start, sample.end).trim() === '') return
        const places = occurrencesOf(index, sample)
        let before = 0
        for (const place of places) {
          expect(index.slice(place.start, place.end)).toBe(index.slice(sample.start, sample.end))
          expect(place.start).toBeGreaterThanOrEqual(before)
          before = place.end
        }
      }),
    )
  })

  it('are offered only where the label is not yet', () => {
    const span = (start: number, end: number, name: string): SpanAnnotation => ({ id: `${start}${name}`, kind: 'span', class: name, start, end })
    const places = [0, 10, 20].map((start) => ({ start, end: start + 4 }))
    expect(unlabelled(places, [span(0, 4, 'A'), span(9, 15, 'A'), span(20, 24, 'B')], 'A')).toEqual([{ start: 20, end: 24 }])
  })
})

describe('direction', () => {
  it('follows the first strong letter', () => {
    expect(readsLeft('1911 שלום Tom')).toBe(true)
    expect(readsLeft('Tom שלום')).toBe(false)
    expect(readsLeft('123')).toBe(false)
  })
})
