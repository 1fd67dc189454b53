import { describe, expect, it } from 'vitest'
import { linear, niceStep, timeScale, toCsv } from './scale'

describe('scales', () => {
  it('takes round steps', () => {
    expect(niceStep(10, 5)).toBe(2)
    expect(niceStep(1234, 5)).toBe(500)
    expect(niceStep(0.7, 5)).toBeCloseTo(0.2)
  })
  it('maps and ticks', () => {
    const y = linear(0, 950, 200, 0)
    expect(y(0)).toBe(200)
    expect(y(950)).toBe(0)
    expect(y.ticks).toEqual([0, 200, 400, 600, 800])
  })
  it('ticks whole hours', () => {
    const x = timeScale(Date.UTC(2026, 0, 1, 0, 20), Date.UTC(2026, 0, 1, 5, 20), 0, 100)
    expect(x.step).toBe(3_600_000)
    expect(x.ticks.every((tick) => tick % 3_600_000 === 0)).toBe(true)
  })
})

describe('toCsv', () => {
  it('quotes, and defuses formulas', () => {
    expect(toCsv([['a,b', 'say "x"', 3, null, '=1+1']])).toBe('"a,b","say ""x""",3,,\'=1+1\r\n')
  })
})
