import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { formatPercent } from '../../ui/messages'
import { ResultView } from '../console/tasks/ResultView'
import { differences } from './desk'
import { titleOf } from './loopState'
import { say } from './phrases'
import type { Lesson } from './types'
import './LessonDialog.css'

/** One's own answer to a training task and the expected one, side by side. */
export function LessonDialog({ lesson, viewer, onClose }: { readonly lesson: Lesson; readonly viewer: string; readonly onClose: () => void }) {
  const { assignment, answer, feedback } = lesson
  const count = differences(answer.annotations, feedback.expected.annotations)
  const sides = [
    { name: say('work.lesson.yours'), annotations: answer.annotations },
    { name: say('work.lesson.expected'), annotations: feedback.expected.annotations },
  ]
  return (
    <Dialog
      open
      onClose={onClose}
      wide="full"
      title={say('work.lesson.title', { done: feedback.done, of: feedback.of, name: titleOf(assignment) })}
      onSubmit={onClose}
      foot={
        <Button type="submit" look="primary" data-autofocus="true">
          {say('work.lesson.go-on')}
        </Button>
      }
    >
      <div className="eh-lesson-said">
        <strong>{say('work.lesson.score', { share: formatPercent(feedback.score) })}</strong>
        <span className="eh-muted">{count === 0 ? say('work.review.same') : say('work.review.differs', { count })}</span>
        {feedback.course === 'open' ? null : <p>{say(`work.lesson.${feedback.course}`)}</p>}
      </div>
      <div className="eh-lesson-sides">
        {sides.map((side) => (
          <section key={side.name} className="eh-stack-2" aria-label={side.name}>
            <h3>{side.name}</h3>
            <ResultView data={assignment.data} ontology={assignment.ontology} annotations={side.annotations} empty={say('work.lesson.nothing')} viewer={viewer} />
          </section>
        ))}
      </div>
    </Dialog>
  )
}
