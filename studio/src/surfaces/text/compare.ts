/** Two answers to one text: which spans they share, and how the rest differ. */
import { addEdits, changeEdit, removeEdits, type Edit } from '../../kernel/edits'
import type { Scene } from '../../kernel/scene'
import type { Annotation, SpanAnnotation } from '../../model/types'
import { inReadingOrder } from './layout'

export type Difference = { readonly start: number; readonly end: number } & (
  | { readonly how: 'mine'; readonly mine: SpanAnnotation; readonly theirs: null }
  | { readonly how: 'theirs'; readonly mine: null; readonly theirs: SpanAnnotation }
  | { readonly how: 'class' | 'ends' | 'attributes'; readonly mine: SpanAnnotation; readonly theirs: SpanAnnotation }
)

/** In reading order. What is the same but for its id is no difference. */
export function differencesOf(mine: readonly SpanAnnotation[], theirs: readonly SpanAnnotation[]): readonly Difference[] {
  let left = inReadingOrder(mine)
  const right = inReadingOrder(theirs)
  const found: Difference[] = []
  const pair = (fits: (a: SpanAnnotation, b: SpanAnnotation) => boolean, how: 'class' | 'ends' | 'attributes' | null): void => {
    left = left.filter((a) => {
      const at = right.findIndex((one) => one.start < a.end && one.end > a.start && fits(a, one))
      const [b] = at < 0 ? [] : right.splice(at, 1)
      if (b && how) found.push({ how, mine: a, theirs: b, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) })
      return b === undefined
    })
  }
  const sameEnds = (a: SpanAnnotation, b: SpanAnnotation): boolean => a.start === b.start && a.end === b.end
  pair((a, b) => sameEnds(a, b) && a.class === b.class && valuesOf(a) === valuesOf(b), null)
  pair((a, b) => sameEnds(a, b) && a.class === b.class, 'attributes')
  pair(sameEnds, 'class')
  pair((a, b) => a.class === b.class, 'ends')
  for (const a of left) found.push({ how: 'mine', mine: a, theirs: null, start: a.start, end: a.end })
  for (const b of right) found.push({ how: 'theirs', mine: null, theirs: b, start: b.start, end: b.end })
  return found.sort((a, b) => a.start - b.start || b.end - a.end)
}

function valuesOf(span: SpanAnnotation): string {
  return JSON.stringify(Object.entries(span.attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What makes this place as the other answer has it. */
export function takingOver(difference: Difference, scene: Scene<Annotation>, newId: () => string): readonly Edit<Annotation>[] {
  switch (difference.how) {
    case 'mine':
      return removeEdits(scene, [difference.mine.id])
    case 'theirs':
      return addEdits(scene, [{ ...difference.theirs, id: newId() }])
    default: {
      const edit = changeEdit<Annotation>(difference.mine, { ...difference.theirs, id: difference.mine.id })
      return edit ? [edit] : []
    }
  }
}
