/**
 * What is kept on the device: drafts, the outbox, and the leases this browser holds. One database per person, so that somebody else
 * who signs in on the same machine neither sees nor sends it.
 */
import { cut, type Piece } from './pieces'
import type { Draft, LocalDraft, LocalLease, Parcel } from './types'

export interface Storage {
  /** Which drafts there are, without what is in them. */
  drafts(): Promise<readonly DraftHead[]>
  draft(slot: string): Promise<LocalDraft | null>
  putDraft(draft: LocalDraft): Promise<void>
  dropDraft(slot: string): Promise<void>
  parcels(): Promise<readonly Parcel[]>
  putParcel(parcel: Parcel): Promise<void>
  dropParcel(id: string): Promise<void>
  leases(): Promise<readonly LocalLease[]>
  putLease(lease: LocalLease): Promise<void>
  dropLease(handle: string): Promise<void>
  note(key: string): Promise<unknown>
  putNote(key: string, value: unknown): Promise<void>
  dropNote(key: string): Promise<void>
  noteKeys(prefix: string): Promise<readonly string[]>
  close(): void
}

export type DraftHead = Pick<LocalDraft, 'slot' | 'at'>

/** A draft on the device: its two long lists are in pieces of their own, by these keys. */
type KeptDraft = Omit<LocalDraft, 'body'> & {
  readonly rest: Omit<Draft, 'edits' | 'annotations'>
  readonly edits: readonly number[]
  readonly annotations: readonly number[]
}

const VERSION = 2
const TABLES = { drafts: 'slot', parcels: 'id', leases: 'handle' } as const
type Table = keyof typeof TABLES | 'notes' | 'pieces'

export function databaseName(person: string): string {
  return `evenhand-work-${person}`
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(name, VERSION)
    asked.onupgradeneeded = ({ oldVersion: before }) => {
      const { result: made, transaction } = asked
      for (const [table, keyPath] of Object.entries(TABLES)) if (!made.objectStoreNames.contains(table)) made.createObjectStore(table, { keyPath })
      for (const table of ['notes', 'pieces']) if (!made.objectStoreNames.contains(table)) made.createObjectStore(table)
      // Drafts of the first version were one record each.
      if (before > 0) transaction?.objectStore('drafts').clear()
    }
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error ?? new Error('IndexedDB'))
    asked.onblocked = () => reject(new Error('IndexedDB is blocked by another tab'))
  })
}

/** Falls back to memory where the browser keeps nothing (private windows of some browsers); `durable` says which. */
export async function openStorage(person: string): Promise<{ storage: Storage; durable: boolean }> {
  try {
    const database = await open(databaseName(person))
    return { storage: onDevice(database), durable: true }
  } catch {
    return { storage: inMemory(), durable: false }
  }
}

function onDevice(database: IDBDatabase): Storage {
  const run = <T>(table: Table, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      // strict: the promise to the annotator is that it survives a crash of the machine, not only of the tab.
      const transaction = database.transaction(table, mode, { durability: mode === 'readwrite' && table === 'parcels' ? 'strict' : 'default' })
      const asked = act(transaction.objectStore(table))
      transaction.oncomplete = () => resolve(asked.result)
      transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB'))
      transaction.onerror = () => reject(transaction.error ?? new Error('IndexedDB'))
    })
  const all = <T>(table: Table): Promise<T[]> => run(table, 'readonly', (store) => store.getAll() as IDBRequest<T[]>)
  const put = async (table: Table, value: unknown): Promise<void> => void (await run(table, 'readwrite', (store) => store.put(value)))
  const drop = async (table: Table, key: string): Promise<void> => void (await run(table, 'readwrite', (store) => store.delete(key)))
  return {
    ...draftsOn(database),
    parcels: async () => inOrder(await all<Parcel>('parcels')),
    putParcel: (parcel) => put('parcels', parcel),
    dropParcel: (id) => drop('parcels', id),
    leases: async () => inOrder(await all<LocalLease>('leases')),
    putLease: (lease) => put('leases', lease),
    dropLease: (handle) => drop('leases', handle),
    note: (key) => run('notes', 'readonly', (store) => store.get(key) as IDBRequest<unknown>),
    putNote: async (key, value) => void (await run('notes', 'readwrite', (store) => store.put(value, key))),
    dropNote: (key) => drop('notes', key),
    noteKeys: async (prefix) => (await run('notes', 'readonly', (store) => store.getAllKeys(IDBKeyRange.bound(prefix, `${prefix}\uffff`)))).map(String),
    close: () => database.close(),
  }
}

type DraftStorage = Pick<Storage, 'drafts' | 'draft' | 'putDraft' | 'dropDraft'>

/** Drafts and their pieces change together, in one transaction. */
function draftsOn(database: IDBDatabase): DraftStorage {
  const written = new Map<string, { readonly edits: readonly Piece[]; readonly annotations: readonly Piece[] }>()
  // Newer than every key of an earlier visit: two tabs never work on one draft, but one may follow the other.
  let last = Date.now() * 1000
  const next = (): number => ++last
  const transact = <T>(mode: IDBTransactionMode, act: (drafts: IDBObjectStore, pieces: IDBObjectStore) => () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction(['drafts', 'pieces'], mode)
      const result = act(transaction.objectStore('drafts'), transaction.objectStore('pieces'))
      transaction.oncomplete = () => resolve(result())
      transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB'))
    })
  return {
    drafts: () =>
      transact('readonly', (drafts) => {
        const asked = drafts.getAll() as IDBRequest<KeptDraft[]>
        return () => asked.result.map(({ slot, at }) => ({ slot, at }))
      }),
    draft: (slot) =>
      transact('readonly', (drafts, pieces) => {
        const head = drafts.get(slot) as IDBRequest<KeptDraft | undefined>
        const keys = pieces.getAllKeys(piecesOf(slot))
        const items = pieces.getAll(piecesOf(slot)) as IDBRequest<unknown[][]>
        return () => head.result && assembled(head.result, new Map(keys.result.map((key, at) => [(key as [string, number])[1], items.result[at] ?? []])))
      }).then((draft) => draft ?? null),
    putDraft: async ({ body: { edits, annotations, ...rest }, ...draft }) => {
      const before = written.get(draft.slot)
      const cuts = { edits: cut(edits, before?.edits ?? [], next), annotations: cut(annotations, before?.annotations ?? [], next) }
      await transact('readwrite', (drafts, pieces) => {
        // What an earlier visit has left is not known piece by piece.
        if (!before) pieces.delete(piecesOf(draft.slot))
        for (const { fresh, gone } of Object.values(cuts)) {
          for (const key of gone) pieces.delete([draft.slot, key])
          for (const piece of fresh) pieces.put(piece.items, [draft.slot, piece.key])
        }
        drafts.put({ ...draft, rest, edits: cuts.edits.pieces.map((one) => one.key), annotations: cuts.annotations.pieces.map((one) => one.key) } satisfies KeptDraft)
        return () => undefined
      })
      // Only now: what was not written has to be written again.
      written.set(draft.slot, { edits: cuts.edits.pieces, annotations: cuts.annotations.pieces })
    },
    dropDraft: (slot) => {
      written.delete(slot)
      return transact('readwrite', (drafts, pieces) => {
        drafts.delete(slot)
        pieces.delete(piecesOf(slot))
        return () => undefined
      })
    },
  }
}

function piecesOf(slot: string): IDBKeyRange {
  return IDBKeyRange.bound([slot, 0], [slot, Number.MAX_SAFE_INTEGER])
}

function assembled({ rest, edits, annotations, ...draft }: KeptDraft, items: ReadonlyMap<number, readonly unknown[]>): LocalDraft {
  const list = (keys: readonly number[]): readonly unknown[] => keys.flatMap((key) => items.get(key) ?? [])
  return { ...draft, body: { ...rest, edits: list(edits), annotations: list(annotations) as Draft['annotations'] } }
}

function inOrder<T extends { readonly at: number }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => a.at - b.at)
}

export function inMemory(): Storage {
  const drafts = new Map<string, LocalDraft>()
  const parcels = new Map<string, Parcel>()
  const leases = new Map<string, LocalLease>()
  const notes = new Map<string, unknown>()
  const done = Promise.resolve()
  return {
    drafts: async () => [...drafts.values()],
    draft: async (slot) => drafts.get(slot) ?? null,
    putDraft: (draft) => (drafts.set(draft.slot, draft), done),
    dropDraft: (slot) => (drafts.delete(slot), done),
    parcels: async () => inOrder([...parcels.values()]),
    putParcel: (parcel) => (parcels.set(parcel.id, parcel), done),
    dropParcel: (id) => (parcels.delete(id), done),
    leases: async () => inOrder([...leases.values()]),
    putLease: (lease) => (leases.set(lease.handle, lease), done),
    dropLease: (handle) => (leases.delete(handle), done),
    note: async (key) => notes.get(key),
    putNote: (key, value) => (notes.set(key, value), done),
    dropNote: async (key) => void notes.delete(key),
    noteKeys: async (prefix) => [...notes.keys()].filter((key) => key.startsWith(prefix)),
    close: () => undefined,
  }
}
