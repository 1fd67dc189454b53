/**
 * From a text and its spans to rows, chunks, lanes and segments. All offsets are code points unless the name ends in `Units`.
 * A row is what stands between two line ends (or a piece of a very long line); a chunk is some rows that are laid out together.
 */
import type { SpanAnnotation } from '../../model/types'
import type { TextIndex } from './offsets'

export interface Row {
  readonly start: number
  /** Before the line end, which belongs to no row. */
  readonly end: number
  readonly startUnits: number
  readonly text: string
}

export interface Chunk {
  readonly key: number
  readonly start: number
  readonly end: number
  readonly rows: readonly Row[]
  /** UTF-16 length, for guessing the height before it is laid out. */
  readonly units: number
}

export interface Cover {
  readonly id: string
  readonly class: string
  readonly lane: number
  readonly first: boolean
  readonly last: boolean
}

export interface Segment {
  readonly start: number
  readonly end: number
  readonly text: string
  /** By lane. */
  readonly covers: readonly Cover[]
}

/** Longest row before it is broken at a space; keeps one line of 200 kB from being one block. */
const ROW_UNITS = 4000
const CHUNK_UNITS = 1600
export const LANES = 8

export function splitRows(index: TextIndex): readonly Row[] {
  const { text } = index
  const rows: Row[] = []
  let from = 0
  while (from <= text.length) {
    let to = text.indexOf('\n', from)
    const next = to < 0 ? text.length + 1 : to + 1
    if (to < 0) to = text.length
    if (to > from && next <= text.length && text.charCodeAt(to - 1) === 13) to--
    pushRow(index, rows, from, to)
    from = next
  }
  return rows
}

function pushRow(index: TextIndex, rows: Row[], from: number, to: number): void {
  let start = from
  while (to - start > ROW_UNITS) {
    const cut = breakBefore(index.text, start + ROW_UNITS)
    rows.push(row(index, start, cut))
    start = cut
  }
  rows.push(row(index, start, to))
}

function row(index: TextIndex, from: number, to: number): Row {
  return { start: index.toPoints(from), end: index.toPoints(to), startUnits: from, text: index.text.slice(from, to) }
}

const JOINS = /[\p{M}\u200d\ufe0e\ufe0f\u{1f3fb}-\u{1f3ff}]/u

/** A place at or a little before `at` where a row may end: after a space, else at least not inside a character. */
function breakBefore(text: string, at: number): number {
  for (let i = at; i > at - 400; i--) {
    const c = text.charCodeAt(i - 1)
    if (c === 32 || c === 9) return i
  }
  for (let i = at; i > at - 64; i--) {
    const low = text.charCodeAt(i)
    const before = text.charCodeAt(i - 1)
    const insidePair = low >= 0xdc00 && low <= 0xdfff && before >= 0xd800 && before <= 0xdbff
    if (insidePair || before === 0x200d) continue
    if (JOINS.test(String.fromCodePoint(text.codePointAt(i) ?? 32))) continue
    return i
  }
  const low = text.charCodeAt(at)
  return low >= 0xdc00 && low <= 0xdfff ? at - 1 : at
}

export function chunkRows(rows: readonly Row[]): readonly Chunk[] {
  const chunks: Chunk[] = []
  let held: Row[] = []
  let units = 0
  const close = (): void => {
    const first = held[0]
    const last = held.at(-1)
    if (!first || !last) return
    chunks.push({ key: chunks.length, start: first.start, end: last.end, rows: held, units })
    held = []
    units = 0
  }
  for (const one of rows) {
    held.push(one)
    units += one.text.length + 1
    // 40 empty rows are as tall as 40 full ones.
    if (units >= CHUNK_UNITS || held.length >= 40) close()
  }
  close()
  return chunks
}

/** Reading order: by start, the longer first, then by id so that it never flickers. */
export function inReadingOrder(spans: readonly SpanAnnotation[]): SpanAnnotation[] {
  return [...spans].sort((a, b) => a.start - b.start || b.end - a.end || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** A lane for each span, so that no two spans in one lane overlap; beyond LANES they share the last. `ordered` is in reading order. */
export function assignLanes(ordered: readonly SpanAnnotation[]): ReadonlyMap<string, number> {
  const ends: number[] = []
  const lanes = new Map<string, number>()
  for (const span of ordered) {
    let lane = ends.findIndex((end) => end <= span.start)
    if (lane < 0) lane = Math.min(ends.length, LANES - 1)
    ends[lane] = Math.max(ends[lane] ?? 0, span.end)
    lanes.set(span.id, lane)
  }
  return lanes
}

/** For each chunk the spans that touch it, in reading order. One pass over both. */
export function spansByChunk(chunks: readonly Chunk[], ordered: readonly SpanAnnotation[]): readonly (readonly SpanAnnotation[])[] {
  const found: SpanAnnotation[][] = chunks.map(() => [])
  for (const span of ordered) {
    for (let i = chunkAt(chunks, span.start); i < chunks.length; i++) {
      const chunk = chunks[i]!
      if (chunk.start >= span.end) break
      found[i]!.push(span)
    }
  }
  return found
}

/** Index of the last chunk (or row) that starts at or before the offset. */
export function chunkAt(parts: readonly { readonly start: number }[], point: number): number {
  let low = 0
  let high = parts.length - 1
  while (low < high) {
    const mid = (low + high + 1) >> 1
    if (parts[mid]!.start <= point) low = mid
    else high = mid - 1
  }
  return low
}

/** Cuts a row where spans start or end. Joined, the texts of the segments are the text of the row. */
export function segmentsOf(
  index: TextIndex,
  row: Row,
  spans: readonly SpanAnnotation[],
  lanes: ReadonlyMap<string, number>,
): readonly Segment[] {
  const here = spans.filter((span) => span.start < row.end && span.end > row.start)
  const cuts = new Set([row.start, row.end])
  for (const span of here) {
    if (span.start > row.start) cuts.add(span.start)
    if (span.end < row.end) cuts.add(span.end)
  }
  const points = [...cuts].sort((a, b) => a - b)
  const segments: Segment[] = []
  for (let i = 0; i + 1 < points.length; i++) {
    const start = points[i]!
    const end = points[i + 1]!
    const covers = here
      .filter((span) => span.start <= start && span.end >= end)
      .map((span) => cover(span, start, end, row, lanes))
      .sort((a, b) => a.lane - b.lane)
    segments.push({ start, end, text: index.slice(start, end), covers })
  }
  return segments
}

function cover(span: SpanAnnotation, start: number, end: number, row: Row, lanes: ReadonlyMap<string, number>): Cover {
  return {
    id: span.id,
    class: span.class,
    lane: lanes.get(span.id) ?? 0,
    first: span.start === start,
    // A span may end in the line end, which no row shows: its last visible piece is then the end of the row.
    last: span.end === end || (end === row.end && span.end <= row.end + 2 && span.end > row.end && isLineEndOnly(span, row)),
  }
}

function isLineEndOnly(span: SpanAnnotation, row: Row): boolean {
  return span.end - row.end <= 1
}
