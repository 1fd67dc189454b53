/**
 * Ordered items by id, immutable: an edit gives a new scene that shares what did not change. Later = nearer to the eye.
 * The spatial index is packed once and shared by descendants, which keep a short list of what changed since.
 */
import { type Packed, pack } from './packed'
import { type Rect, meets } from './vec'

export interface Item {
  readonly id: string
}

/** null = has no place (a categorisation, a text): kept, never found by place. */
export type Bounds<T> = (item: T) => Rect | null

/** How many changes a packed index may lag behind before it is packed anew. */
const MAX_STALE = 128

interface Index {
  readonly packed: Packed
  readonly ids: readonly string[]
}

const ranks = new WeakMap<readonly string[], ReadonlyMap<string, number>>()

function rankOf(order: readonly string[]): ReadonlyMap<string, number> {
  let rank = ranks.get(order)
  if (!rank) {
    rank = new Map(order.map((id, i) => [id, i]))
    ranks.set(order, rank)
  }
  return rank
}

export class Scene<T extends Item> {
  private constructor(
    readonly bounds: Bounds<T>,
    private readonly byId: ReadonlyMap<string, T>,
    readonly order: readonly string[],
    private index: Index | null,
    private stale: ReadonlySet<string>,
  ) {}

  static of<T extends Item>(items: Iterable<T>, bounds: Bounds<T>): Scene<T> {
    const byId = new Map<string, T>()
    for (const item of items) {
      if (byId.has(item.id)) throw new Error(`scene: id ${item.id} is used twice`)
      byId.set(item.id, item)
    }
    return new Scene(bounds, byId, [...byId.keys()], null, new Set())
  }

  get size(): number {
    return this.order.length
  }

  has(id: string): boolean {
    return this.byId.has(id)
  }

  find(id: string): T | null {
    return this.byId.get(id) ?? null
  }

  get(id: string): T {
    const item = this.byId.get(id)
    if (item === undefined) throw new Error(`scene: no item ${id}`)
    return item
  }

  /** The only item; an error when there is none or more. */
  one(): T {
    if (this.order.length !== 1) throw new Error(`scene: holds ${this.order.length} items, not one`)
    return this.get(this.order[0] as string)
  }

  /** Position in the order; -1 when absent. */
  rank(id: string): number {
    return rankOf(this.order).get(id) ?? -1
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const id of this.order) yield this.byId.get(id) as T
  }

  items(): T[] {
    return [...this]
  }

  /** Items whose bounds meet the rectangle, back to front. */
  search(query: Rect): T[] {
    const index = this.upToDate()
    const found: T[] = []
    index.packed.search(query, (i) => {
      const id = index.ids[i] as string
      if (this.stale.has(id)) return
      const item = this.byId.get(id)
      if (item !== undefined) found.push(item)
    })
    for (const id of this.stale) {
      const item = this.byId.get(id)
      if (item === undefined) continue
      const box = this.bounds(item)
      if (box && meets(box, query)) found.push(item)
    }
    return this.inOrder(found)
  }

  private inOrder(found: T[]): T[] {
    if (found.length * 8 < this.order.length || found.length < 64) {
      const rank = rankOf(this.order)
      return found.sort((a, b) => (rank.get(a.id) as number) - (rank.get(b.id) as number))
    }
    // most of the scene: walking the order is cheaper than sorting
    if (found.length === this.order.length) return this.items()
    const hit = new Set(found)
    return this.items().filter((item) => hit.has(item))
  }

  /** For edits.ts: several changes at once, one copy. `undefined` removes. */
  with(changes: ReadonlyMap<string, T | undefined>, order: readonly string[]): Scene<T> {
    const byId = new Map(this.byId)
    for (const [id, item] of changes) {
      if (item === undefined) byId.delete(id)
      else byId.set(id, item)
    }
    const stale = new Set(this.stale)
    for (const id of changes.keys()) stale.add(id)
    return new Scene(this.bounds, byId, order, stale.size > MAX_STALE ? null : this.index, stale)
  }

  private upToDate(): Index {
    if (this.index) return this.index
    const rects: Rect[] = []
    const ids: string[] = []
    for (const item of this) {
      const box = this.bounds(item)
      if (!box) continue
      rects.push(box)
      ids.push(item.id)
    }
    this.index = { packed: pack(rects), ids }
    this.stale = new Set()
    return this.index
  }
}
