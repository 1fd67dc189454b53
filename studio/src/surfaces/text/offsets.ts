/**
 * Code points (what is kept and sent) against UTF-16 units (what the browser counts).
 * A lone surrogate is one code point, as in Python's `len` of the decoded string.
 */
export interface TextIndex {
  readonly text: string
  /** Number of code points. */
  readonly length: number
  /** UTF-16 offset of a code point offset, clamped to 0..text.length. */
  toUnits(point: number): number
  /** Code point offset of a UTF-16 offset; inside a pair it is the offset of the pair. */
  toPoints(unit: number): number
  /** The text between two code point offsets. */
  slice(start: number, end: number): string
}

export function indexText(text: string): TextIndex {
  const pairs = pairStarts(text)
  const length = text.length - pairs.length

  const toUnits = (point: number): number => {
    if (point <= 0) return 0
    if (point >= length) return text.length
    // pairs[i] - i is the code point offset of the i-th pair: count the pairs that lie wholly before `point`.
    let low = 0
    let high = pairs.length
    while (low < high) {
      const mid = (low + high) >> 1
      if (pairs[mid]! - mid < point) low = mid + 1
      else high = mid
    }
    return point + low
  }

  const toPoints = (unit: number): number => {
    if (unit <= 0) return 0
    if (unit >= text.length) return length
    let low = 0
    let high = pairs.length
    while (low < high) {
      const mid = (low + high) >> 1
      if (pairs[mid]! < unit) low = mid + 1
      else high = mid
    }
    // `low` pairs start before the unit; when the last of them straddles it this is already the offset of that pair.
    return unit - low
  }

  return { text, length, toUnits, toPoints, slice: (start, end) => text.slice(toUnits(start), toUnits(end)) }
}

/** UTF-16 offsets of every well-formed surrogate pair. */
function pairStarts(text: string): Int32Array {
  let count = 0
  for (let i = 0; i < text.length - 1; i++) {
    if (isPair(text, i)) {
      count++
      i++
    }
  }
  const starts = new Int32Array(count)
  let at = 0
  for (let i = 0; at < count; i++) {
    if (isPair(text, i)) {
      starts[at++] = i
      i++
    }
  }
  return starts
}

function isPair(text: string, i: number): boolean {
  const a = text.charCodeAt(i)
  if (a < 0xd800 || a > 0xdbff) return false
  const b = text.charCodeAt(i + 1)
  return b >= 0xdc00 && b <= 0xdfff
}
