/**
 * What is kept on the device: drafts, the outbox, and the leases this browser holds. One database per person, so that somebody else
 * who signs in on the same machine neither sees nor sends it.
 */
import type { LocalDraft, LocalLease, Parcel } from './types'

export interface Storage {
  drafts(): Promise<readonly LocalDraft[]>
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
  close(): void
}

const VERSION = 1
const TABLES = { drafts: 'slot', parcels: 'id', leases: 'handle' } as const
type Table = keyof typeof TABLES | 'notes'

export function databaseName(person: string): string {
  return `evenhand-work-${person}`
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(name, VERSION)
    asked.onupgradeneeded = () => {
      for (const [table, keyPath] of Object.entries(TABLES)) asked.result.createObjectStore(table, { keyPath })
      asked.result.createObjectStore('notes')
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
    drafts: () => all('drafts'),
    draft: async (slot) => ((await run('drafts', 'readonly', (store) => store.get(slot))) as LocalDraft | undefined) ?? null,
    putDraft: (draft) => put('drafts', draft),
    dropDraft: (slot) => drop('drafts', slot),
    parcels: async () => inOrder(await all<Parcel>('parcels')),
    putParcel: (parcel) => put('parcels', parcel),
    dropParcel: (id) => drop('parcels', id),
    leases: async () => inOrder(await all<LocalLease>('leases')),
    putLease: (lease) => put('leases', lease),
    dropLease: (handle) => drop('leases', handle),
    note: (key) => run('notes', 'readonly', (store) => store.get(key) as IDBRequest<unknown>),
    putNote: async (key, value) => void (await run('notes', 'readwrite', (store) => store.put(value, key))),
    close: () => database.close(),
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
    parcels: async () => inOrder([...parcels.values()]),
    putParcel: (parcel) => (parcels.set(parcel.id, parcel), done),
    dropParcel: (id) => (parcels.delete(id), done),
    leases: async () => inOrder([...leases.values()]),
    putLease: (lease) => (leases.set(lease.handle, lease), done),
    dropLease: (handle) => (leases.delete(handle), done),
    note: async (key) => notes.get(key),
    putNote: (key, value) => (notes.set(key, value), done),
    close: () => undefined,
  }
}
