/**
 * A long list cut into pieces that are kept one by one, so that an edit writes what it touched and not fifty megabytes. Where a piece
 * ends follows from what is in it, not from how many come before: taking one shape away leaves all other pieces as they were.
 */

export interface Piece {
  readonly key: number
  readonly items: readonly unknown[]
}

export interface Cut {
  readonly pieces: readonly Piece[]
  /** To be written. */
  readonly fresh: readonly Piece[]
  /** Keys to be dropped. */
  readonly gone: readonly number[]
}

/** Pieces have this many items on average, and never more than four times as many. */
const MEAN = 32
const MOST = MEAN * 4

/** Items are compared by identity: what has not been touched is the very same object. */
export function cut(items: readonly unknown[], before: readonly Piece[], next: () => number): Cut {
  const known = new Map(before.map((piece) => [piece.items[0], piece]))
  const fresh: Piece[] = []
  const pieces = split(items).map((part): Piece => {
    const old = known.get(part[0])
    if (old && same(old.items, part)) return old
    const piece = { key: next(), items: part }
    fresh.push(piece)
    return piece
  })
  const kept = new Set(pieces.map((piece) => piece.key))
  return { pieces, fresh, gone: before.filter((piece) => !kept.has(piece.key)).map((piece) => piece.key) }
}

function split(items: readonly unknown[]): readonly (readonly unknown[])[] {
  const parts: unknown[][] = []
  let open: unknown[] = []
  for (const item of items) {
    open.push(item)
    if (open.length >= MOST || ends(item)) {
      parts.push(open)
      open = []
    }
  }
  if (open.length > 0) parts.push(open)
  return parts
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at])
}

/** One in MEAN, by the id of an annotation or the time of a mark. */
function ends(item: unknown): boolean {
  const { id, at_ms } = (item ?? {}) as { id?: unknown; at_ms?: unknown }
  const name = typeof id === 'string' ? id : String(at_ms)
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return ((hash ^ (hash >>> 15)) >>> 0) % MEAN === 0
}
