/**
 * What is kept on the device: drafts, the outbox, and the leases this browser holds. One database per person, so that somebody else
 * who signs in on the same machine neither sees nor sends it. Ids, versions and times are readable; all else is sealed (sealing.ts).
 */
import { cut, type Piece } from './pieces'
import type { LeaseKeys } from './sealing'
import { slotOf } from './slots'
import type { Draft, LocalDraft, LocalLease, Parcel } from './types'

export interface Storage {
  /** Which drafts there are, without what is in them. */
  drafts(): Promise<readonly DraftHead[]>
  draft(slot: string): Promise<LocalDraft | null>
  putDraft(draft: LocalDraft): Promise<void>
  dropDraft(slot: string): Promise<void>
  /** The lease under which the server has a draft that was taken off this device. */
  sentUnder(slot: string): Promise<string | null>
  /** Takes off the device what the server has. */
  dropSent(): Promise<void>
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
type Sealed = Uint8Array<ArrayBuffer>

/** A draft on the device: its two long lists are in pieces of their own, by these keys. Without `rest` the server alone has it. */
type KeptDraft = Omit<LocalDraft, 'body'> & {
  readonly rest?: Sealed
  readonly edits: readonly number[]
  readonly annotations: readonly number[]
}

type KeptParcel = Pick<Parcel, 'id' | 'handle' | 'task' | 'role' | 'at' | 'state' | 'why'> & { readonly sealed: Sealed }

const VERSION = 3
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
      // Before this version nothing was sealed. What waits to be sent still is; the rest is with the server.
      if (before > 0) for (const table of ['drafts', 'pieces', 'leases']) transaction?.objectStore(table).clear()
    }
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error ?? new Error('IndexedDB'))
    asked.onblocked = () => reject(new Error('IndexedDB is blocked by another tab'))
  })
}

/** Falls back to memory where the browser keeps nothing (private windows of some browsers); `durable` says which. */
export async function openStorage(person: string, keys: LeaseKeys): Promise<{ storage: Storage; durable: boolean }> {
  try {
    const database = await open(databaseName(person))
    return { storage: onDevice(database, keys), durable: true }
  } catch {
    return { storage: inMemory(), durable: false }
  }
}

function onDevice(database: IDBDatabase, keys: LeaseKeys): Storage {
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
  const opened = async (kept: KeptParcel | Parcel): Promise<Parcel> => {
    if (!('sealed' in kept)) return kept // of an earlier version of the studio
    const { sealed, ...head } = kept
    const rest = await keys.open(slotOf(head.task, head.role), head.id, sealed).catch(() => ({ op: 'sealed', title: '' }))
    return { ...head, ...(rest as Pick<Parcel, 'op'>) } as Parcel
  }
  const putParcel = async ({ id, handle, task, role, at, state, why, ...rest }: Parcel): Promise<void> => {
    const head = { id, handle, task, role, at, state, ...(why === undefined ? {} : { why }) }
    const before = rest.op === 'sealed' ? await run('parcels', 'readonly', (store) => store.get(id) as IDBRequest<KeptParcel | undefined>) : undefined
    await put('parcels', { ...head, sealed: before?.sealed ?? (await keys.seal(slotOf(task, role), id, rest)) } satisfies KeptParcel)
  }
  return {
    ...draftsOn(database, keys),
    parcels: async () => inOrder(await Promise.all((await all<KeptParcel | Parcel>('parcels')).map(opened))),
    putParcel,
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

type DraftStorage = Pick<Storage, 'drafts' | 'draft' | 'putDraft' | 'dropDraft' | 'sentUnder' | 'dropSent'>
type Written = { readonly edits: readonly Piece[]; readonly annotations: readonly Piece[] }

/** Drafts and their pieces change together, in one transaction. */
function draftsOn(database: IDBDatabase, keys: LeaseKeys): DraftStorage {
  const written = new Map<string, Written>()
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
  const heads = (): Promise<readonly KeptDraft[]> =>
    transact('readonly', (drafts) => {
      const asked = drafts.getAll() as IDBRequest<KeptDraft[]>
      return () => asked.result
    })
  const sealedPieces = (slot: string, fresh: readonly Piece[]): Promise<readonly (readonly [number, Sealed])[]> =>
    Promise.all(fresh.map(async ({ key, items }) => [key, await keys.seal(slot, String(key), items)] as const))
  return {
    drafts: async () => (await heads()).map(({ slot, at }) => ({ slot, at })),
    draft: async (slot) => {
      const [head, pieces] = await transact('readonly', (drafts, all) => {
        const asked = drafts.get(slot) as IDBRequest<KeptDraft | undefined>
        const names = all.getAllKeys(piecesOf(slot))
        const items = all.getAll(piecesOf(slot)) as IDBRequest<Sealed[]>
        return () => [asked.result, names.result.map((key, at) => [(key as [string, number])[1], items.result[at]!] as const)] as const
      })
      return head?.rest && keys.has(slot) ? await opened(keys, { ...head, rest: head.rest }, pieces) : null
    },
    putDraft: async ({ body: { edits, annotations, ...rest }, ...draft }) => {
      const { slot } = draft
      const before = written.get(slot)
      const cuts = { edits: cut(edits, before?.edits ?? [], next), annotations: cut(annotations, before?.annotations ?? [], next) }
      // Sealed before the transaction begins: one that waits for anything else ends by itself.
      const fresh = await sealedPieces(slot, [...cuts.edits.fresh, ...cuts.annotations.fresh])
      const head: KeptDraft = {
        ...draft,
        rest: await keys.seal(slot, 'rest', rest),
        edits: cuts.edits.pieces.map((one) => one.key),
        annotations: cuts.annotations.pieces.map((one) => one.key),
      }
      await transact('readwrite', (drafts, pieces) => {
        // What an earlier visit has left is not known piece by piece.
        if (!before) pieces.delete(piecesOf(slot))
        for (const key of [...cuts.edits.gone, ...cuts.annotations.gone]) pieces.delete([slot, key])
        for (const [key, sealed] of fresh) pieces.put(sealed, [slot, key])
        drafts.put(head)
        return () => undefined
      })
      // Only now: what was not written has to be written again.
      written.set(slot, { edits: cuts.edits.pieces, annotations: cuts.annotations.pieces })
    },
    dropDraft: (slot) => {
      written.delete(slot)
      return transact('readwrite', (drafts, pieces) => {
        drafts.delete(slot)
        pieces.delete(piecesOf(slot))
        return () => undefined
      })
    },
    sentUnder: async (slot) => (await heads()).find((one) => one.slot === slot && !one.rest)?.handle ?? null,
    dropSent: async () => {
      const sent = (await heads()).filter((one) => one.synced >= one.version)
      written.clear()
      await transact('readwrite', (drafts, pieces) => {
        for (const { rest: _, ...head } of sent) {
          drafts.put({ ...head, edits: [], annotations: [] } satisfies KeptDraft)
          pieces.delete(piecesOf(head.slot))
        }
        return () => undefined
      })
    },
  }
}

function piecesOf(slot: string): IDBKeyRange {
  return IDBKeyRange.bound([slot, 0], [slot, Number.MAX_SAFE_INTEGER])
}

/** Rejects where one of its pieces is missing or does not open. */
async function opened(keys: LeaseKeys, { rest, edits, annotations, ...draft }: KeptDraft & { readonly rest: Sealed }, pieces: readonly (readonly [number, Sealed])[]): Promise<LocalDraft> {
  const { slot } = draft
  const items = new Map(await Promise.all(pieces.map(async ([key, sealed]) => [key, (await keys.open(slot, String(key), sealed)) as readonly unknown[]] as const)))
  const list = (names: readonly number[]): readonly unknown[] => names.flatMap((key) => items.get(key) ?? [])
  const body = (await keys.open(slot, 'rest', rest)) as Omit<Draft, 'edits' | 'annotations'>
  return { ...draft, body: { ...body, edits: list(edits), annotations: list(annotations) as Draft['annotations'] } }
}

/** Signing out from a page that has no workspace open: what the server has goes off the device, the rest opens to nobody. */
export async function leaveDevice(person: string, keys: LeaseKeys): Promise<void> {
  const all = await indexedDB.databases().catch(() => [])
  for (const { name } of all) {
    if (!name?.startsWith(databaseName(person))) continue
    const database = await open(name)
    await onDevice(database, keys).dropSent()
    database.close()
  }
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
    sentUnder: async () => null,
    dropSent: () => done,
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
