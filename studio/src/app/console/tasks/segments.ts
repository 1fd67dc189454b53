// Overlapping spans as a row of segments: each knows which spans cover it. Offsets count code points, not UTF-16 units.
import type { SpanAnnotation } from '../../../model/types'

export type Segment = { text: string; spans: readonly SpanAnnotation[]; starts: readonly SpanAnnotation[] }

export function segmentsOf(text: string, spans: readonly SpanAnnotation[]): Segment[] {
  const letters = [...text]
  const size = letters.length
  const inside = spans.filter((span) => span.start < size && span.end > span.start)
  const cuts = [...new Set([0, size, ...inside.flatMap((span) => [Math.max(0, span.start), Math.min(size, span.end)])])].sort((a, b) => a - b)
  const byStart = [...inside].sort((a, b) => a.start - b.start || b.end - a.end)
  const out: Segment[] = []
  let open: SpanAnnotation[] = []
  let next = 0
  for (let at = 0; at + 1 < cuts.length; at += 1) {
    const from = cuts[at] as number
    const to = cuts[at + 1] as number
    open = open.filter((span) => span.end > from)
    const starts: SpanAnnotation[] = []
    for (let span = byStart[next]; span && span.start <= from; span = byStart[(next += 1)]) {
      open.push(span)
      starts.push(span)
    }
    out.push({ text: letters.slice(from, to).join(''), spans: [...open], starts })
  }
  return out
}
