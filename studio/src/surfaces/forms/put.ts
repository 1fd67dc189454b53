import type { FieldAnnotation } from '../../model/types'
import type { AnswerDocument } from './document'
import { titleOf, type Question } from './questions'
import { say } from './phrases'

/** Answers a question, or takes the answer away, under the question's name in the history. */
export function put(document: AnswerDocument, question: Question, before: FieldAnnotation | null, after: FieldAnnotation | null, join?: string): void {
  const title = titleOf(question.field)
  if (after) document.put(say('forms.mark.answer', { title }), after, join)
  else if (before) document.remove(say('forms.mark.clear', { title }), [before.id])
}
