import { expect, test } from 'vitest'
import { gathered } from './gather'
import type { TrustEvent } from './types'

let n = 100
const event = (what: string, who: string, minutes: number, more: Partial<TrustEvent> = {}): TrustEvent => ({
  id: String(n--), at: new Date(Date.UTC(2027, 0, 1, 12, -minutes)).toISOString(), who, what, about: null, counter: n, detail: {}, ...more,
})
const look = (who: string, asked: string, minutes: number, more: Partial<TrustEvent> = {}) => event('ContentShown', who, minutes, { detail: { asked }, ...more })

test('looks of one person that follow each other are one line, and nothing else is', () => {
  const events = [
    look('Ada', 'GET /projects', 0, { counter: null }),
    look('Ada', 'GET /tasks', 1, { counter: 9 }),
    look('Ada', 'GET /projects', 2, { counter: 8 }),
    event('KeyRotated', 'Ada', 3, { counter: 7 }),
    look('Ada', 'GET /projects', 4, { counter: 6 }),
    look('Bela', 'GET /projects', 4, { counter: 5 }),
    look('Bela', 'GET /projects', 40, { counter: 4 }),
  ]
  const lines = gathered(events)
  expect(lines.map((line) => [line.who, line.what, line.first, line.counter])).toEqual([
    ['Ada', 'ContentShown', 8, 9],
    ['Ada', 'KeyRotated', 7, 7],
    ['Ada', 'ContentShown', 6, 6],
    ['Bela', 'ContentShown', 5, 5],
    ['Bela', 'ContentShown', 4, 4],
  ])
  expect(lines[0]).toMatchObject({ at: events[0]?.at, id: events[2]?.id, looks: [{ asked: 'GET /projects', times: 2 }, { asked: 'GET /tasks', times: 1 }] })
  expect(lines.flatMap((line) => line.looks).reduce((sum, one) => sum + one.times, 0)).toBe(6)
})
