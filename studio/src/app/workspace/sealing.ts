/**
 * What is kept on the device is sealed (AES-256-GCM) with keys that the server keeps. It hands one out with each lease, and again to
 * who asks for the same lease; here they are in memory only. Signed out, or without the lease, what lies on the device opens to nobody.
 */
import type { WorkApi } from './workApi'
import type { Assignment } from './types'
import { slotOf } from './slots'

const IV_BYTES = 12
const write = new TextEncoder()
const read = new TextDecoder()

export class LeaseKeys {
  readonly #keys = new Map<string, Promise<CryptoKey>>()

  has(slot: string): boolean {
    return this.#keys.has(slot)
  }

  /** `key`: 32 bytes as base64. */
  give(slot: string, key: string): void {
    const bytes = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0))
    // Not extractable: no script that gets in later can read it out.
    this.#keys.set(slot, crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']))
  }

  /** `place` is bound to it: what is copied elsewhere on the device does not open there. */
  async seal(slot: string, place: string, value: unknown): Promise<Uint8Array<ArrayBuffer>> {
    const key = await this.#keyOf(slot)
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: write.encode(`${slot}\n${place}`) }, key, write.encode(JSON.stringify(value)))
    const out = new Uint8Array(IV_BYTES + sealed.byteLength)
    out.set(iv)
    out.set(new Uint8Array(sealed), IV_BYTES)
    return out
  }

  /** Rejects where it was altered, or sealed with another key. */
  async open(slot: string, place: string, sealed: Uint8Array<ArrayBuffer>): Promise<unknown> {
    const key = await this.#keyOf(slot)
    const opened = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: sealed.subarray(0, IV_BYTES), additionalData: write.encode(`${slot}\n${place}`) },
      key,
      sealed.subarray(IV_BYTES),
    )
    return JSON.parse(read.decode(opened))
  }

  clear(): void {
    this.#keys.clear()
  }

  #keyOf(slot: string): Promise<CryptoKey> {
    return this.#keys.get(slot) ?? Promise.reject(new Error(`no key for ${slot}`))
  }
}

/** The same work routes; the keys that come with leases are taken off on the way. */
export function withKeys<Api extends Pick<WorkApi, 'next' | 'open' | 'recall'>>(api: Api, keys: LeaseKeys): Api {
  const taken = (assignment: Assignment): Assignment => {
    const { draft_key: key, ...rest } = assignment
    if (key) keys.give(slotOf(assignment.task, assignment.role), key)
    return rest
  }
  return {
    ...api,
    next: async (...asked: Parameters<WorkApi['next']>) => {
      const reply = await api.next(...asked)
      return { ...reply, assignments: reply.assignments.map(taken) }
    },
    open: async (handle: string) => taken(await api.open(handle)),
    recall: async (handle: string) => taken(await api.recall(handle)),
  }
}
