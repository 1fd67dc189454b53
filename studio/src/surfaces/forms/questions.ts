/** From an ontology and a task to the questions that are asked, and from annotations to what has been answered. */
import type {
  Annotation,
  ChoiceAnnotation,
  ConversationAnswer,
  FieldAnnotation,
  Ontology,
  OntologyField,
  PreferenceAnnotation,
  TaskData,
} from '../../model/types'
import { fieldRule } from '../../model/conditions'

export interface Question {
  readonly id: string
  readonly field: OntologyField
  /** The answer it is asked about; null for the task as a whole. */
  readonly target: ConversationAnswer | null
}

export interface Gap {
  readonly question: Question
  readonly why: 'missing' | 'low' | 'high' | 'unknown'
}

export function titleOf(field: OntologyField): string {
  return field.title ?? field.key
}

export function answersOf(data: TaskData): readonly ConversationAnswer[] {
  return data.medium === 'conversation' ? data.conversation.answers : []
}

/** In the order of the ontology; a question about answers comes once for each. */
export function questionsOf(ontology: Ontology, data: TaskData): readonly Question[] {
  const answers = answersOf(data)
  return ontology.fields.flatMap((field, at): Question[] => {
    // A preference is always between the answers, and about the task.
    const each = field.target === 'answers' && field.type !== 'preference' && answers.length > 0
    if (!each) return [{ id: idOf(at, field.key, null), field, target: null }]
    return answers.map((target) => ({ id: idOf(at, field.key, target.id), field, target }))
  })
}

/** The same question has the same id in every tab and after every reload, so that nothing is answered twice. */
function idOf(at: number, key: string, target: string | null): string {
  const plain = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 24)
  return target === null ? `f${at}-${plain(key)}` : `f${at}-${plain(key)}-${plain(target)}`
}

function fits(annotation: Annotation, question: Question): annotation is FieldAnnotation {
  const { field, target } = question
  switch (annotation.kind) {
    case 'choice':
      return field.type === 'choice' && annotation.field === field.key
    case 'text':
      // A rewrite says which answer it began from; it is still the one text of its field.
      return field.type === 'text' && annotation.field === field.key && (target === null || annotation.target === target.id)
    case 'rating':
      return (field.type === 'rating' || field.type === 'number') && annotation.field === field.key && (annotation.target ?? null) === (target?.id ?? null)
    case 'preference':
      return field.type === 'preference' && annotation.field === field.key
    default:
      return false
  }
}

/** The annotation that answers a question, whoever made it: prelabels have ids of their own. */
export function answerTo(question: Question, annotations: readonly Annotation[]): FieldAnnotation | null {
  for (const annotation of annotations) {
    if (!fits(annotation, question)) continue
    // A choice has no target in the contract: the id tells questions about different answers apart.
    if (annotation.kind === 'choice' && question.target !== null && annotation.id !== question.id) continue
    return annotation
  }
  return null
}

export function choiceOf(question: Question, values: readonly string[], before: FieldAnnotation | null): ChoiceAnnotation {
  return { id: before?.id ?? question.id, kind: 'choice', field: question.field.key, values }
}

/** What pressing one option makes of the answer: null takes the answer away. */
export function toggled(question: Question, value: string, before: FieldAnnotation | null): ChoiceAnnotation | null {
  const held = before?.kind === 'choice' ? before.values : []
  if (!question.field.multiple) return held.includes(value) ? null : choiceOf(question, [value], before)
  const values = held.includes(value) ? held.filter((one) => one !== value) : inOrder(question.field, [...held, value])
  return values.length === 0 ? null : choiceOf(question, values, before)
}

function inOrder(field: OntologyField, values: readonly string[]): readonly string[] {
  const order = (field.choices ?? []).map((choice) => choice.value)
  return [...values].sort((a, b) => order.indexOf(a) - order.indexOf(b))
}

/** The option for a key: its own hotkey, else its number. */
export function choiceForKey(field: OntologyField, key: string): string | null {
  const choices = field.choices ?? []
  const own = choices.find((choice) => choice.hotkey !== undefined && choice.hotkey.toLowerCase() === key.toLowerCase())
  if (own) return own.value
  return /^[1-9]$/.test(key) ? (choices[Number(key) - 1]?.value ?? null) : null
}

export function keyOfChoice(field: OntologyField, at: number): string | null {
  const choice = field.choices?.[at]
  return choice?.hotkey ?? (at < 9 ? String(at + 1) : null)
}

// ---- scales ----

/** The steps of a scale that is short enough to be buttons; null when it has to be a number field. */
export function scaleOf(field: OntologyField): readonly number[] | null {
  if (field.type !== 'rating') return null
  const min = field.min ?? 1
  const max = field.max ?? 5
  const step = field.step !== undefined && field.step > 0 ? field.step : 1
  const count = Math.floor((max - min) / step + 1e-9) + 1
  if (!(count >= 2 && count <= 11)) return null
  return Array.from({ length: count }, (_, i) => Number((min + i * step).toFixed(10)))
}

export interface Grade {
  readonly winner: string | null
  readonly strength: 0 | 1 | 2 | 3
}

/** From "the first is much better" to "the second is much better", for two answers; keys 1 to 7. */
export function gradesOf(answers: readonly ConversationAnswer[]): readonly Grade[] {
  const [first, second] = answers
  if (!first || !second) return []
  const down = ([3, 2, 1] as const).map((strength): Grade => ({ winner: first.id, strength }))
  const up = ([1, 2, 3] as const).map((strength): Grade => ({ winner: second.id, strength }))
  return [...down, { winner: null, strength: 0 }, ...up]
}

export function preferenceOf(question: Question, grade: Grade, before: FieldAnnotation | null): PreferenceAnnotation {
  return { id: before?.id ?? question.id, kind: 'preference', field: question.field.key, winner: grade.winner, strength: grade.strength }
}

// ---- what is missing ----

/** The questions whose condition holds. */
export function applying(questions: readonly Question[], annotations: readonly Annotation[], ontology: Ontology): readonly Question[] {
  const applies = fieldRule(ontology, annotations)
  return questions.filter((question) => applies(question.field, question.target?.id ?? null))
}

/** What has to be done before it can be submitted, in the order of the questions. */
export function gapsIn(questions: readonly Question[], annotations: readonly Annotation[], ontology: Ontology): readonly Gap[] {
  return applying(questions, annotations, ontology).flatMap((question): Gap[] => {
    const why = gapOf(question, answerTo(question, annotations))
    return why ? [{ question, why }] : []
  })
}

function gapOf(question: Question, answer: FieldAnnotation | null): Gap['why'] | null {
  const { field } = question
  const empty = answer === null || (answer.kind === 'text' && answer.text.trim() === '')
  if (empty) return field.required ? 'missing' : null
  if (answer.kind === 'rating') {
    if (field.min !== undefined && answer.value < field.min) return 'low'
    if (field.max !== undefined && answer.value > field.max) return 'high'
  }
  if (answer.kind === 'choice' && field.choices && answer.values.some((value) => !field.choices?.some((choice) => choice.value === value))) return 'unknown'
  return null
}
