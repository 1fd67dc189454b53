import type { Annotation } from '../../model/types'
import { Kbd } from '../../ui/Kbd'
import { differences, type Desk } from './desk'
import { comparable } from './useCompared'
import { useDesk } from './useStore'
import { say } from './phrases'

interface Props {
  readonly desk: Desk
  readonly compareWith: string | null
  readonly onCompare: (id: string | null) => void
}

/** The answers that can stand beside the one on the desk, and how far they are from it. */
export function CompareList({ desk, compareWith, onCompare }: Props) {
  useDesk(desk)
  const offered = comparable(desk)
  if (offered.length === 0) return null
  const name = (id: string): string => {
    const one = desk.answers.find((answer) => answer.id === id)
    return `${one?.by ?? say('work.review.given')}: ${likeness(desk, one?.annotations ?? desk.given)}`
  }
  return (
    <label className="eh-review-compare">
      <span>{say('work.review.compare.list')}</span>
      <select value={compareWith !== null && offered.includes(compareWith) ? compareWith : ''} aria-keyshortcuts="C" onChange={(event) => onCompare(event.target.value || null)}>
        <option value="">–</option>
        {offered.map((id) => (
          <option key={id} value={id}>
            {name(id)}
          </option>
        ))}
      </select>
      <Kbd keys="C" />
    </label>
  )
}

/** How far the answer on the desk, as it is now, is from another. */
function likeness(desk: Desk, annotations: readonly Annotation[]): string {
  const count = differences(desk.document?.annotations ?? desk.given, annotations)
  return count === 0 ? say('work.review.same') : say('work.review.differs', { count })
}
