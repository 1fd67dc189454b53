import { expect, test } from 'vitest'
import { isAway, watchPresence } from './presence'

test('a page that nobody touches is alone after two minutes, and no longer once somebody does', () => {
  let now = 1_000_000
  const page = new EventTarget()
  const stop = watchPresence(page, () => now)
  expect(isAway(now + 120_000)).toBe(false)
  expect(isAway(now + 120_001)).toBe(true)
  now += 600_000
  page.dispatchEvent(new Event('mousemove')) // a desk that shakes is nobody
  expect(isAway(now)).toBe(true)
  page.dispatchEvent(new Event('keydown'))
  expect(isAway(now)).toBe(false)
  stop()
  now += 600_000
  page.dispatchEvent(new Event('keydown'))
  expect(isAway(now)).toBe(true)
})
