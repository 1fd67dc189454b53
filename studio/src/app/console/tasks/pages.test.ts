import { describe, expect, it } from 'vitest'
import type { TaskRow } from '../types'
import { PAGE, Pages, type Span } from './pages'

const row = (at: number): TaskRow => ({ id: `t${at}` }) as TaskRow
const slot = (page: number, size = PAGE) => ({ items: Array.from({ length: size }, (_, at) => row(page * PAGE + at)), etag: null })
const top: Span = [0, 30]

function list(total: number, ...pages: number[]): Pages {
  const made = new Pages()
  made.total = total
  for (const page of pages) made.set(page, slot(page), top)
  return made
}

describe('a list of which some pages are here', () => {
  it('asks for the first page when nothing is known, even for a place far down', () => {
    expect(new Pages().next([50_000, 50_030])).toBe(0)
  })
  it('asks for what is on screen first, then for what follows, then for what comes before', () => {
    const far: Span = [50_000, 50_030]
    const pages = list(100_000, 0)
    const asked: number[] = []
    for (let page = pages.next(far); page !== null; page = pages.next(far)) {
      asked.push(page)
      pages.set(page, slot(page), far)
    }
    expect(asked[0]).toBe(250)
    expect(asked).toEqual([250, 251, 249, 248])
    expect(pages.at(50_123)?.id).toBe('t50123')
    expect(pages.at(7_000)).toBeUndefined()
    expect(pages.indexOf('t50123')).toBe(50_123)
    expect(pages.indexOf('t7000')).toBe(-1)
  })
  it('asks for nothing behind the end', () => {
    const pages = list(PAGE + 5, 0)
    expect(pages.next([0, PAGE + 40])).toBe(1)
    pages.set(1, slot(1, 5), top)
    expect(pages.next([0, PAGE + 40])).toBeNull()
  })
  it('takes the end from a page that is not full', () => {
    const pages = list(1_000, 0)
    pages.set(3, slot(3, 7), [600, 630])
    expect(pages.total).toBe(607)
    const empty = list(40, 0)
    empty.set(0, slot(0, 0), top)
    expect(empty.total).toBe(0)
  })
  it('keeps the first page and those near by, and forgets the rest', () => {
    const pages = list(1_000_000, 0)
    for (let page = 1; page <= 300; page += 1) pages.set(page, slot(page), [page * PAGE, page * PAGE + 30])
    expect(pages.at(0)?.id).toBe('t0')
    expect(pages.at(300 * PAGE)?.id).toBe(`t${300 * PAGE}`)
    expect(pages.at(5 * PAGE)).toBeUndefined()
    pages.keepOnly([0, 299])
    expect(pages.at(300 * PAGE)).toBeUndefined()
    expect(pages.at(299 * PAGE)?.id).toBe(`t${299 * PAGE}`)
  })
})
