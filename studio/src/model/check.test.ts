import { describe, expect, test } from 'vitest'
import { KINDS, MAX_POINTS, MAX_TEXT, checkAnnotation, checkAnswer } from './check'

interface Fixture {
  readonly accept: readonly unknown[]
  readonly refuse: readonly { readonly why: string; readonly annotation: unknown }[]
}

// the Python suite reads the same files: both sides accept and refuse the same
const FILES = import.meta.glob<Fixture>('../../../fixtures/kinds/*/*.json', { eager: true, import: 'default' })

describe.each([...KINDS])('%s', (kind) => {
  const files = Object.entries(FILES).filter(([path]) => path.includes(`/${kind}/`))

  test('has golden files', () => expect(files.length).toBeGreaterThan(0))

  for (const [path, { accept, refuse }] of files) {
    const name = path.split('/').at(-1)
    test.each(accept.map((value, i) => [i, value] as const))(`${name}: accepts %i`, (_, value) => {
      expect(checkAnnotation(value)).toEqual({ ok: true, value })
    })
    test.each(refuse.map((one) => [one.why, one.annotation] as const))(`${name}: refuses: %s`, (_, value) => {
      expect(checkAnnotation(value).ok).toBe(false)
    })
  }
})

describe('beyond the files', () => {
  const line = (n: number): unknown => ({ id: 'a', kind: 'line', class: 'c', points: Array.from({ length: n }, (_, i) => [i, 0]) })

  test('10,000 points are allowed, one more is not', () => {
    expect(checkAnnotation(line(MAX_POINTS)).ok).toBe(true)
    expect(checkAnnotation(line(MAX_POINTS + 1)).ok).toBe(false)
  })

  test('text is counted in code points', () => {
    const text = (s: string): unknown => ({ id: 'a', kind: 'text', field: 'f', text: s })
    expect(checkAnnotation(text('🚗'.repeat(MAX_TEXT))).ok).toBe(true)
    expect(checkAnnotation(text('x'.repeat(MAX_TEXT + 1))).ok).toBe(false)
  })

  test('numbers that JSON cannot carry are refused', () => {
    for (const x of [NaN, Infinity, -Infinity]) {
      expect(checkAnnotation({ id: 'a', kind: 'point', class: 'c', x, y: 0 })).toEqual({
        ok: false,
        problem: { path: 'x', detail: 'must be a finite number' },
      })
    }
  })

  test('an answer says where it is wrong', () => {
    const point = { id: 'a', kind: 'point', class: 'c', x: 0, y: 0 }
    expect(checkAnswer({ annotations: [point] }).ok).toBe(true)
    expect(checkAnswer({ annotations: [point, { ...point, id: 'b', x: 'no' }] })).toMatchObject({ problem: { path: 'annotations[1].x' } })
    expect(checkAnswer({ annotations: [point, point] })).toMatchObject({ problem: { path: 'annotations[1].id' } })
    expect(checkAnswer({ annotations: [], other: 1 }).ok).toBe(false)
    expect(checkAnswer([]).ok).toBe(false)
    expect(checkAnswer({ annotations: Array.from({ length: 20_001 }, (_, i) => ({ ...point, id: `a${i}` })) }).ok).toBe(false)
  })
})
