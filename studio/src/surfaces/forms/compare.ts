/** Two answers to the same questions, one question at a time. */
import type { Annotation, ConversationAnswer, FieldAnnotation } from '../../model/types'
import { diffWords, type Change } from './diff'
import { nameOf } from './names'
import { answerTo, type Question } from './questions'
import { say } from './phrases'

/** Another answer, and whose it is. */
export interface Other {
  readonly who: string
  readonly annotations: readonly Annotation[]
}

export interface Compared {
  readonly same: boolean
  readonly theirs: FieldAnnotation | null
}

/** Null when neither has answered. */
export function comparedOn(question: Question, mine: readonly Annotation[], theirs: readonly Annotation[]): Compared | null {
  const own = answerTo(question, mine)
  const other = answerTo(question, theirs)
  if (!own && !other) return null
  return { same: own !== null && other !== null && contentOf(own) === contentOf(other), theirs: other }
}

function contentOf(answer: FieldAnnotation): string {
  switch (answer.kind) {
    case 'choice':
      return JSON.stringify([...answer.values].sort())
    case 'text':
      return answer.text
    case 'rating':
      return String(answer.value)
    case 'preference':
      return `${answer.winner} ${answer.strength}`
  }
}

/** What somebody answered, in words. */
export function wordsOf({ field }: Question, answer: FieldAnnotation | null, answers: readonly ConversationAnswer[]): string {
  switch (answer?.kind) {
    case undefined:
      return say('forms.compare.empty')
    case 'choice':
      return answer.values.map((value) => field.choices?.find((one) => one.value === value)?.label ?? value).join(', ')
    case 'text':
      return answer.text
    case 'rating':
      return String(answer.value)
    case 'preference': {
      const winner = answers.find((one) => one.id === answer.winner)
      const strength = say(`forms.prefer.${answer.strength}`)
      return winner ? say('forms.prefer.name', { answer: nameOf(answers, winner), strength }) : strength
    }
  }
}

/** From this text to theirs, word by word; null when it is no text or one of them is empty. */
export function changesTo(mine: FieldAnnotation | null, theirs: FieldAnnotation | null): readonly Change[] | null {
  return mine?.kind === 'text' && theirs?.kind === 'text' && mine.text && theirs.text ? diffWords(mine.text, theirs.text) : null
}
