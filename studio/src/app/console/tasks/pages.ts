// A long list of which only some pages are here. The server says how long it is; a page has its place in it.
import type { TaskRow } from '../types'

export const PAGE = 200
/** Rows that are fetched before and after those on screen. */
const AHEAD = 300
/** Pages that are kept: 10,000 rows. */
const KEPT = 50

export type Slot = { items: readonly TaskRow[]; etag: string | null }
export type Span = readonly [first: number, last: number]

export class Pages {
  total: number | null = null
  readonly #slots = new Map<number, Slot>()

  get(page: number): Slot | undefined {
    return this.#slots.get(page)
  }

  /** Keeps a page that has come. A page that is not full is the last one, so it says where the list ends. */
  set(page: number, slot: Slot, near: Span): void {
    this.#slots.set(page, slot)
    const end = page * PAGE + slot.items.length
    if (slot.items.length < PAGE && this.total !== null && (this.total > end || page === 0)) this.total = end
    while (this.#slots.size > KEPT) this.#slots.delete(this.#farthest(near))
  }

  #farthest([first, last]: Span): number {
    const middle = (first + last) / 2 / PAGE
    const off = (page: number): number => (page === 0 ? -1 : Math.abs(page - middle))
    return [...this.#slots.keys()].reduce((worst, page) => (off(page) > off(worst) ? page : worst))
  }

  /** Tasks came or went: what is not in sight may have moved. */
  keepOnly(pages: readonly number[]): void {
    for (const page of [...this.#slots.keys()]) if (!pages.includes(page)) this.#slots.delete(page)
  }

  at(index: number): TaskRow | undefined {
    return this.#slots.get(Math.floor(index / PAGE))?.items[index % PAGE]
  }

  /** Where a task stands, if its page is here; else -1. */
  indexOf(id: string | null): number {
    if (id === null) return -1
    for (const [page, { items }] of this.#slots) {
      const found = items.findIndex((row) => row.id === id)
      if (found >= 0) return page * PAGE + found
    }
    return -1
  }

  /** The pages that hold the rows first..last. */
  within([first, last]: Span): number[] {
    const end = this.total === null ? 0 : Math.max(0, this.total - 1)
    const from = Math.floor(Math.max(0, Math.min(first, end)) / PAGE)
    const to = Math.floor(Math.max(0, Math.min(last, end)) / PAGE)
    return Array.from({ length: to - from + 1 }, (_, at) => from + at)
  }

  /** What to fetch next: what is on screen, then what lies around it; null when all of it is here. */
  next(seen: Span): number | null {
    const wanted = [...(this.total === null ? [0] : []), ...this.within(seen), ...this.within([seen[0], seen[1] + AHEAD]), ...this.within([seen[0] - AHEAD, seen[1]]).reverse()]
    return wanted.find((page) => !this.#slots.has(page)) ?? null
  }
}
