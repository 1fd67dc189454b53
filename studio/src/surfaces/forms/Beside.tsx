/** Under a question: what another person answered to it, and whether that is the same. */
import type { ConversationAnswer } from '../../model/types'
import { Button } from '../../ui/Button'
import { changesTo, comparedOn, wordsOf, type Other } from './compare'
import { ChangedWords } from './ChangedWords'
import type { AnswerDocument } from './document'
import { put } from './put'
import { answerTo, type Question } from './questions'
import { say } from './phrases'

interface Props {
  readonly question: Question
  readonly document: AnswerDocument
  readonly answers: readonly ConversationAnswer[]
  readonly other: Other
  readonly readOnly: boolean
}

export function Beside({ question, document, answers, other, readOnly }: Props) {
  const { who, annotations } = other
  const found = comparedOn(question, document.annotations, annotations)
  if (!found) return null
  if (found.same) return <p className="eh-beside-same">{say('forms.compare.same', { who })}</p>
  const mine = answerTo(question, document.annotations)
  const changes = changesTo(mine, found.theirs)
  const takeOver = (): void => put(document, question, mine, found.theirs && { ...found.theirs, id: mine?.id ?? question.id })
  return (
    <div className="eh-beside" role="note" aria-label={say('forms.compare.differs', { who })}>
      <div className="eh-beside-head">
        <strong>{say('forms.compare.differs', { who })}</strong>
        {readOnly ? null : (
          <Button small onClick={takeOver}>
            {say('forms.compare.take')}
          </Button>
        )}
      </div>
      <p className={found.theirs ? 'eh-beside-words' : 'eh-beside-words eh-muted'} dir="auto">
        {changes ? <ChangedWords changes={changes} /> : wordsOf(question, found.theirs, answers)}
      </p>
    </div>
  )
}
