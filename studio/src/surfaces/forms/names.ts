/** What the answers of a conversation are called. */
import type { ConversationAnswer } from '../../model/types'
import { say } from './phrases'

export function letterOf(answers: readonly ConversationAnswer[], id: string): string {
  return String.fromCharCode(65 + Math.max(0, answers.findIndex((answer) => answer.id === id)))
}

export function nameOf(answers: readonly ConversationAnswer[], answer: ConversationAnswer): string {
  return answer.title ?? say('forms.answer', { letter: letterOf(answers, answer.id) })
}
