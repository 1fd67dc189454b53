import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { indexText } from './offsets'

/** Astral letters, combining marks, joined emoji, line ends of all sorts, lone surrogates, right-to-left. */
const awkward = fc.array(
  fc.oneof(
    fc.constantFrom('a', ' ', '\n', '\r\n', '\r', 'é', 'e\u0301', '😀', '👩‍👩‍👧', '𝒳', '\ud83d', '\ude00', 'שלום', '東京', '\u0000', '\u200d', '\ufeff'),
    fc.string({ unit: 'binary' }),
  ),
).map((parts) => parts.join(''))

describe('code points against UTF-16', () => {
  it('counts as Array.from does', () => {
    fc.assert(
      fc.property(awkward, (text) => {
        expect(indexText(text).length).toBe(Array.from(text).length)
      }),
    )
  })

  it('goes there and back for every code point', () => {
    fc.assert(
      fc.property(awkward, (text) => {
        const index = indexText(text)
        for (let point = 0; point <= index.length; point++) expect(index.toPoints(index.toUnits(point))).toBe(point)
      }),
    )
  })

  it('slices what Array.from slices', () => {
    fc.assert(
      fc.property(awkward, fc.nat(60), fc.nat(60), (text, a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a]
        expect(indexText(text).slice(start, end)).toBe(Array.from(text).slice(start, end).join(''))
      }),
    )
  })

  it('never goes backwards and never past the ends', () => {
    fc.assert(
      fc.property(awkward, (text) => {
        const index = indexText(text)
        let before = 0
        for (let unit = -1; unit <= text.length + 1; unit++) {
          const point = index.toPoints(unit)
          expect(point).toBeGreaterThanOrEqual(before)
          expect(point).toBeLessThanOrEqual(index.length)
          before = point
        }
        expect(index.toUnits(index.length + 5)).toBe(text.length)
      }),
    )
  })

  it('puts the middle of a pair at the pair', () => {
    const index = indexText('a😀b')
    expect([0, 1, 2, 3, 4].map((unit) => index.toPoints(unit))).toEqual([0, 1, 1, 2, 3])
  })
})
