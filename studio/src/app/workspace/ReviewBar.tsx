/** Review: whose answer this is, the others beside it, and the verdict. */
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Kbd } from '../../ui/Kbd'
import { CompareList } from './CompareList'
import type { Desk } from './desk'
import type { ReviewComment } from './types'
import { say } from './phrases'
import { useDesk } from './useStore'
import './ReviewBar.css'

interface Props {
  readonly desk: Desk
  readonly compareWith: string | null
  readonly onCompare: (id: string | null) => void
  readonly onAccept: () => void
  readonly onFix: () => void
  readonly onReject: () => void
}

export function ReviewBar({ desk, compareWith, onCompare, onAccept, onFix, onReject }: Props) {
  useDesk(desk)
  const { review } = desk.held.assignment
  const shown = desk.answers.find((one) => one.id === desk.which)
  return (
    <div className="eh-review" role="region" aria-label={say('work.title.review')}>
      {desk.answers.length > 1 ? (
        <div className="eh-review-answers" role="radiogroup" aria-label={say('work.review.answers')}>
          {desk.answers.map((one, at) => (
            <button key={one.id} type="button" role="radio" aria-checked={one.id === desk.which} className="eh-review-answer" onClick={() => desk.show(one.id)}>
              {say('work.review.answer', { at: at + 1, by: one.by })}
              <Marks late={one.late} extra={one.extra} />
            </button>
          ))}
        </div>
      ) : (
        <span className="eh-review-by">
          {say('work.review.by', { by: shown?.by ?? review?.by ?? '' })}
          {shown ? <Marks late={shown.late} extra={shown.extra} /> : null}
        </span>
      )}
      <CompareList desk={desk} compareWith={compareWith} onCompare={onCompare} />
      {review?.comments.length ? <Comments comments={review.comments} /> : null}
      <span className="eh-grow" />
      {desk.changed ? <Badge look="warn">{say('work.review.changed')}</Badge> : null}
      <Button onClick={onReject} look="danger" aria-keyshortcuts="R">
        {say('work.review.reject')} <Kbd keys="R" />
      </Button>
      <Button onClick={onFix} disabled={!desk.changed} look={desk.changed ? 'primary' : 'plain'} aria-keyshortcuts="F">
        {say('work.review.fix')} <Kbd keys="F" />
      </Button>
      <Button onClick={onAccept} look={desk.changed ? 'plain' : 'primary'} disabled={desk.changed} aria-keyshortcuts="A">
        {say('work.review.accept')} <Kbd keys="A" />
      </Button>
    </div>
  )
}

function Marks({ late, extra }: { readonly late: boolean; readonly extra: boolean }) {
  return (
    <>
      {late ? <Badge look="warn">{say('work.review.late')}</Badge> : null}
      {extra ? <Badge>{say('work.review.extra')}</Badge> : null}
    </>
  )
}

function Comments({ comments }: { readonly comments: readonly (ReviewComment | string)[] }) {
  return (
    <details className="eh-review-comments">
      <summary>
        {say('work.review.comments')} ({comments.length})
      </summary>
      <ul>
        {comments.map((one, at) => (
          <li key={at}>{typeof one === 'string' ? one : (one.text ?? one.comment ?? '')}</li>
        ))}
      </ul>
    </details>
  )
}
