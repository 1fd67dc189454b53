import { describe, expect, it } from 'vitest'
import type { Labeler } from '../types'
import { byNeed, passing, spread } from './scores'

const one = (name: string, more: Partial<Labeler>): Labeler => ({ person: name, name, evaluations: 0, mean: null, low: null, high: null, course: null, scores: [], ...more })
const people = [
  one('new', {}),
  one('good', { evaluations: 30, mean: 0.9, low: 0.75, high: 0.97 }),
  one('poor', { evaluations: 10, mean: 0.5, low: 0.24, high: 0.76, course: { state: 'passed', cycle: 1, score: 0.8 } }),
  one('waits', { course: { state: 'failed', cycle: 2, score: 0.3 } }),
]

describe('scores', () => {
  it('counts each answer once, not each person', () => {
    expect(spread(people)).toEqual({ mean: 0.8, n: 40 })
    expect(spread([one('a', {})])).toBeNull()
  })
  it('says how the course went', () => {
    expect(passing(people)).toEqual({ of: 2, passed: 1, failed: 1 })
  })
  it('begins with who waits for somebody', () => {
    expect(byNeed(people).map((item) => item.name)).toEqual(['waits', 'poor', 'good', 'new'])
  })
})
