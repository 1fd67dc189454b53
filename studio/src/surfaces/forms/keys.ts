/** Number and letter keys answer the question that is in turn. */
import type { ConversationAnswer } from '../../model/types'
import type { AnswerDocument } from './document'
import { answerTo, choiceForKey, gradesOf, preferenceOf, scaleOf, toggled, type Question } from './questions'
import { put } from './put'

/** The question that keys go to: where the focus is, else the first that keys can answer and that has no answer. */
export function inTurn(questions: readonly Question[], document: AnswerDocument, focused: string | null): Question | null {
  const own = questions.find((question) => question.id === focused)
  if (own) return own
  const keyed = questions.filter((question) => question.field.type === 'choice' || question.field.type === 'preference' || scaleOf(question.field))
  return keyed.find((question) => answerTo(question, document.annotations) === null) ?? keyed.at(-1) ?? null
}

/** True when the key meant something here. */
export function answerByKey(question: Question, document: AnswerDocument, answers: readonly ConversationAnswer[], key: string): boolean {
  const { field, target } = question
  const before = answerTo(question, document.annotations)
  if (field.type === 'choice') {
    const value = choiceForKey(field, key)
    if (value === null) return false
    put(document, question, before, toggled(question, value, before))
    return true
  }
  if (field.type === 'preference') {
    const grade = /^[1-7]$/.test(key) ? gradesOf(answers)[Number(key) - 1] : undefined
    if (!grade) return false
    put(document, question, before, preferenceOf(question, grade, before))
    return true
  }
  const scale = scaleOf(field)
  const value = /^\d$/.test(key) ? Number(key) : Number.NaN
  if (!scale?.includes(value)) return false
  put(document, question, before, { id: before?.id ?? question.id, kind: 'rating', field: field.key, value, ...(target ? { target: target.id } : {}) })
  return true
}
