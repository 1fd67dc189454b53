import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SpanAnnotation } from '../../model/types'
import { assignLanes, chunkRows, inReadingOrder, LANES, segmentsOf, spansByChunk, splitRows } from './layout'
import { indexText } from './offsets'

const span = (id: string, start: number, end: number, name = 'A'): SpanAnnotation => ({ id, kind: 'span', class: name, start, end })

const text = fc.array(fc.constantFrom('word', ' ', '\n', '\r\n', 'é', '😀', '\r', 'x'.repeat(50), '東京')).map((parts) => parts.join(''))
const spansOf = (length: number) =>
  fc.array(fc.tuple(fc.nat(Math.max(0, length)), fc.nat(30)), { maxLength: 25 }).map((pairs) => pairs.map(([start, size], i) => span(`s${i}`, Math.min(start, Math.max(0, length - 1)), Math.min(start, Math.max(0, length - 1)) + 1 + size)))

describe('rows', () => {
  it('hold every character but the line ends', () => {
    fc.assert(
      fc.property(text, (source) => {
        const rows = splitRows(indexText(source))
        const points = Array.from(source)
        expect(rows.map((row) => row.text).join('')).toBe(source.replaceAll('\r\n', '').replaceAll('\n', ''))
        for (const row of rows) expect(points.slice(row.start, row.end).join('')).toBe(row.text)
      }),
    )
  })

  it('keep CRLF out and lone CR in', () => {
    expect(splitRows(indexText('a\r\nb\rc\n')).map((row) => row.text)).toEqual(['a', 'b\rc', ''])
  })

  it('break a very long line at a space, and never inside a character', () => {
    const long = 'e\u0301😀'.repeat(5000)
    const rows = splitRows(indexText(long))
    expect(rows.length).toBeGreaterThan(1)
    expect(rows.map((row) => row.text).join('')).toBe(long)
    for (const row of rows) expect(/^[\u0301\udc00-\udfff]/.test(row.text)).toBe(false)
    const words = splitRows(indexText('word '.repeat(2000)))
    for (const row of words.slice(0, -1)) expect(row.text.endsWith(' ')).toBe(true)
  })

  it('are all in chunks, in order', () => {
    fc.assert(
      fc.property(text, (source) => {
        const rows = splitRows(indexText(source))
        expect(chunkRows(rows).flatMap((chunk) => chunk.rows)).toEqual(rows)
      }),
    )
  })
})

describe('segments', () => {
  it('join to the text of the row, and cover exactly what the spans cover', () => {
    fc.assert(
      fc.property(
        text.chain((source) => fc.tuple(fc.constant(source), spansOf(Array.from(source).length))),
        ([source, spans]) => {
          const index = indexText(source)
          const ordered = inReadingOrder(spans)
          const lanes = assignLanes(ordered)
          const chunks = chunkRows(splitRows(index))
          const byChunk = spansByChunk(chunks, ordered)
          chunks.forEach((chunk, c) => {
            for (const row of chunk.rows) {
              const segments = segmentsOf(index, row, byChunk[c] ?? [], lanes)
              expect(segments.map((segment) => segment.text).join('')).toBe(row.text)
              for (const segment of segments) {
                const expected = spans.filter((one) => one.start < segment.end && one.end > segment.start).map((one) => one.id)
                expect(segment.covers.map((cover) => cover.id).sort()).toEqual(expected.sort())
              }
            }
          })
        },
      ),
    )
  })

  it('say where a span begins and ends, also when it ends in the line end', () => {
    const index = indexText('ab\r\ncd')
    const spans = [span('s', 1, 3)]
    const [row] = splitRows(index)
    const segments = segmentsOf(index, row!, spans, assignLanes(spans))
    expect(segments.map((one) => [one.text, one.covers[0]?.first, one.covers[0]?.last])).toEqual([
      ['a', undefined, undefined],
      ['b', true, true],
    ])
  })
})

describe('lanes', () => {
  it('keep overlapping spans apart', () => {
    fc.assert(
      fc.property(spansOf(100), (spans) => {
        const lanes = assignLanes(inReadingOrder(spans))
        for (const a of spans)
          for (const b of spans) {
            if (a.id === b.id || a.start >= b.end || b.start >= a.end) continue
            const [one, two] = [lanes.get(a.id)!, lanes.get(b.id)!]
            if (one < LANES - 1 && two < LANES - 1) expect(one).not.toBe(two)
          }
      }),
    )
  })

  it('lays out 5,000 spans in 200 kB in a moment', () => {
    const source = 'The quick brown fox jumps over the lazy dog.\n'.repeat(4600)
    const index = indexText(source)
    const spans = Array.from({ length: 5000 }, (_, i) => span(`s${i}`, i * 40, i * 40 + 5 + (i % 60)))
    const start = performance.now()
    const chunks = chunkRows(splitRows(index))
    const ordered = inReadingOrder(spans)
    const lanes = assignLanes(ordered)
    spansByChunk(chunks, ordered)
    expect(lanes.size).toBe(5000)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})
