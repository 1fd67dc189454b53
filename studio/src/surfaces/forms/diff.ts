/** What a rewrite changed, by word. */

export interface Change {
  readonly op: 'same' | 'gone' | 'new'
  readonly text: string
}

/** Above this many words times words, only what differs as a whole is shown: the table would not fit. */
const MAX_CELLS = 4_000_000

function wordsOf(text: string): string[] {
  return text.match(/\s+|[\p{L}\p{N}\p{M}'’]+|[^\s]/gu) ?? []
}

export function diffWords(before: string, after: string): readonly Change[] {
  const a = wordsOf(before)
  const b = wordsOf(after)
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const middle = between(a.slice(head, a.length - tail), b.slice(head, b.length - tail))
  return joined([
    { op: 'same', text: a.slice(0, head).join('') },
    ...middle,
    { op: 'same', text: a.slice(a.length - tail).join('') },
  ])
}

/** Longest common subsequence, by the table. */
function between(a: readonly string[], b: readonly string[]): Change[] {
  if (a.length === 0 || b.length === 0 || a.length * b.length > MAX_CELLS) {
    return [
      { op: 'gone', text: a.join('') },
      { op: 'new', text: b.join('') },
    ]
  }
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1]! + 1 : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!)
    }
  }
  const changes: Change[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      changes.push({ op: 'same', text: a[i++]! })
      j++
    } else if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)) changes.push({ op: 'gone', text: a[i++]! })
    else changes.push({ op: 'new', text: b[j++]! })
  }
  return changes
}

function joined(changes: readonly Change[]): readonly Change[] {
  const found: Change[] = []
  for (const change of changes) {
    if (change.text === '') continue
    const last = found.at(-1)
    if (last?.op === change.op) found[found.length - 1] = { op: last.op, text: last.text + change.text }
    else found.push(change)
  }
  return found
}
