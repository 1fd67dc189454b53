/** Moving through text by character, word and row, and finding the same words again. Offsets are code points. */
import type { SpanAnnotation } from '../../model/types'
import type { Row } from './layout'
import { chunkAt } from './layout'
import type { TextIndex } from './offsets'

export interface Range {
  readonly start: number
  readonly end: number
}

export type Direction = 1 | -1

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const wordsOf = new Intl.Segmenter(undefined, { granularity: 'word' })

/** The next (or previous) place a caret can stand, by what a reader calls a character. */
export function stepCharacter(index: TextIndex, rows: readonly Row[], point: number, direction: Direction): number {
  return step(index, rows, point, direction, graphemes, () => true)
}

/** The end of the next word, or the start of the previous one. */
export function stepWord(index: TextIndex, rows: readonly Row[], point: number, direction: Direction): number {
  return step(index, rows, point, direction, wordsOf, (part) => part.isWordLike === true)
}

function step(
  index: TextIndex,
  rows: readonly Row[],
  point: number,
  direction: Direction,
  segmenter: Intl.Segmenter,
  stops: (part: Intl.SegmentData) => boolean,
): number {
  const at = chunkAt(rows, point)
  const row = rows[at]
  if (!row) return 0
  const unit = Math.min(index.toUnits(point) - row.startUnits, row.text.length)
  let found: number | null = null
  for (const part of segmenter.segment(row.text)) {
    const edge = direction > 0 ? part.index + part.segment.length : part.index
    if (direction > 0) {
      if (edge > unit && stops(part)) return index.toPoints(row.startUnits + edge)
    } else if (edge < unit) {
      if (stops(part)) found = edge
    } else break
  }
  if (found !== null) return index.toPoints(row.startUnits + found)
  if (direction > 0) return rows[at + 1]?.start ?? row.end
  const before = rows[at - 1]
  if (segmenter === wordsOf && unit > 0) return row.start
  return before ? before.end : row.start
}

/** The word (or, between words, the character) around an offset. */
export function wordAt(index: TextIndex, rows: readonly Row[], point: number): Range {
  const row = rows[chunkAt(rows, point)]
  if (!row) return { start: 0, end: 0 }
  const unit = index.toUnits(point) - row.startUnits
  for (const part of wordsOf.segment(row.text)) {
    const end = part.index + part.segment.length
    if (unit >= part.index && unit < end) {
      return { start: index.toPoints(row.startUnits + part.index), end: index.toPoints(row.startUnits + end) }
    }
  }
  return { start: row.end, end: row.end }
}

/** Without the white space at both ends; null when nothing is left. */
export function trimRange(index: TextIndex, range: Range): Range | null {
  const text = index.slice(range.start, range.end)
  const lead = text.length - text.trimStart().length
  if (lead === text.length) return null
  const tail = text.length - text.trimEnd().length
  // White space is never astral, so units and code points agree.
  return { start: range.start + lead, end: range.end - tail }
}

const WORD = /[\p{L}\p{N}\p{M}_]/u
/** Scripts written without spaces: a neighbouring letter does not make it another word. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

function joinsWord(inside: string, outside: string): boolean {
  if (inside === '' || outside === '') return false
  return WORD.test(inside) && WORD.test(outside) && !UNSPACED.test(inside) && !UNSPACED.test(outside)
}

function pointBefore(text: string, unit: number): string {
  if (unit <= 0) return ''
  const low = text.charCodeAt(unit - 1)
  const wide = low >= 0xdc00 && low <= 0xdfff && unit >= 2
  return text.slice(wide ? unit - 2 : unit - 1, unit)
}

function pointAfter(text: string, unit: number): string {
  const point = text.codePointAt(unit)
  return point === undefined ? '' : String.fromCodePoint(point)
}

/** Every place where the same characters stand as words of their own, the given range included; they do not overlap. */
export function occurrencesOf(index: TextIndex, range: Range, limit = 20000): readonly Range[] {
  const { text } = index
  const from = index.toUnits(range.start)
  const needle = text.slice(from, index.toUnits(range.end))
  if (needle.trim() === '') return []
  const head = pointAfter(needle, 0)
  const tail = pointBefore(needle, needle.length)
  // The sample may itself be cut out of a word; then so may the others.
  const loose = joinsWord(head, pointBefore(text, from)) || joinsWord(tail, pointAfter(text, from + needle.length))
  const found: Range[] = []
  for (let at = text.indexOf(needle); at >= 0 && found.length < limit; ) {
    const end = at + needle.length
    const whole = loose || (!joinsWord(head, pointBefore(text, at)) && !joinsWord(tail, pointAfter(text, end)))
    // A following mark belongs to the last letter: "e" is not inside "é" written with two code points.
    const torn = /\p{M}/u.test(pointAfter(text, end))
    const sample = at === from
    if ((whole && !torn) || sample) found.push({ start: index.toPoints(at), end: index.toPoints(end) })
    at = text.indexOf(needle, (whole && !torn) || sample ? end : at + 1)
  }
  return found
}

/** The occurrences that no span of that class covers yet. */
export function unlabelled(places: readonly Range[], spans: readonly SpanAnnotation[], className: string): readonly Range[] {
  const taken = spans.filter((span) => span.class === className).sort((a, b) => a.start - b.start)
  let furthest = -1
  let next = 0
  return [...places]
    .sort((a, b) => a.start - b.start)
    .filter((place) => {
      while (next < taken.length && taken[next]!.start < place.end) furthest = Math.max(furthest, taken[next++]!.end)
      return furthest <= place.start
    })
}

/** The direction a row reads in, by its first strong character, as `dir="auto"` decides it. */
export function readsLeft(text: string): boolean {
  const strong = /[\p{L}]/u.exec(text)?.[0]
  return strong !== undefined && /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(strong)
}
