// Where rows stand in a scrolling box. Browsers cannot lay out boxes of any height (Firefox ends near 17 million pixels), so a
// very long list is drawn in a shorter box, and scrolling goes faster there.

export const ROW = 48
export const HEAD = 32
const OVER = 8
export const TALLEST = 12_000_000

export type View = { readonly first: number; readonly last: number; /** What to add to a row's place to get its place in the box. */ readonly shift: number }

export function bodyHeight(count: number): number {
  return Math.min(count * ROW, TALLEST)
}

/** Pixels of the list for one pixel of the scroll bar. */
function factor(count: number, client: number): number {
  const most = HEAD + bodyHeight(count) - client
  return count * ROW <= TALLEST || most <= 0 ? 1 : (HEAD + count * ROW - client) / most
}

/** The rows to draw, some more than fit. */
export function viewOf(scrollTop: number, client: number, count: number): View {
  const top = scrollTop * factor(count, client)
  const first = Math.max(0, Math.floor(top / ROW) - OVER)
  const last = Math.min(count, Math.ceil((top + client) / ROW) + OVER)
  return { first, last, shift: Math.round(scrollTop - top) }
}

/** Where to scroll so that a row is in sight; null when it is already. */
export function scrollTo(at: number, scrollTop: number, client: number, count: number): number | null {
  const by = factor(count, client)
  const top = scrollTop * by
  const row = at * ROW
  if (row < top) return row / by
  if (row + ROW + HEAD > top + client) return (row + ROW + HEAD - client) / by
  return null
}
