/**
 * A draft as it travels. The server keeps it without looking inside, so a large one goes compressed: fifty megabytes of shapes and
 * their history become a few.
 */
import type { Draft } from './types'

/** JSON, through gzip, as base64. */
export interface PackedDraft {
  readonly gzip: string
}

/** Below this many characters compressing costs more than it saves. */
export const PACK_ABOVE = 256_000
const SLICE = 0x8000

export interface Packed {
  readonly body: Draft | PackedDraft
  /** Characters of the JSON before compressing: what the next one will about cost. */
  readonly size: number
}

export async function pack(draft: Draft): Promise<Packed> {
  // Measuring costs a serialisation of everything, which a small draft need not pay twice.
  if (draft.edits.length < 100 && draft.annotations.length < 100 && !draft.annotations.some(heavy) && draft.review === undefined) return { body: draft, size: 0 }
  const text = JSON.stringify(draft)
  if (text.length < PACK_ABOVE) return { body: draft, size: text.length }
  const packed = await through(new Blob([text]).stream(), new CompressionStream('gzip'))
  return { body: { gzip: base64(new Uint8Array(packed)) }, size: text.length }
}

export async function unpack(body: Draft | PackedDraft): Promise<Draft> {
  if (!('gzip' in body)) return body
  const bytes = Uint8Array.from(atob(body.gzip), (letter) => letter.charCodeAt(0))
  const text = await through(new Blob([bytes]).stream(), new DecompressionStream('gzip'))
  return JSON.parse(new TextDecoder().decode(text)) as Draft
}

function heavy(annotation: Draft['annotations'][number]): boolean {
  return ('points' in annotation && annotation.points.length > 200) || ('text' in annotation && annotation.text.length > 10_000)
}

function through(from: ReadableStream<Uint8Array>, by: CompressionStream | DecompressionStream): Promise<ArrayBuffer> {
  return new Response(from.pipeThrough(by as unknown as ReadableWritablePair<Uint8Array, Uint8Array>) as BodyInit & ReadableStream).arrayBuffer()
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += SLICE) text += String.fromCharCode(...bytes.subarray(at, at + SLICE))
  return btoa(text)
}
