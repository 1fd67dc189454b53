/** One task on the desk: what it starts from, its answer in the making, what is missing, and (in review) which answer is looked at. */
import { emptyHistory } from '../../kernel/history'
import { attributesFor } from '../../kinds/list'
import { settled } from '../../model/conditions'
import type { Annotation, Answer, Ontology, SpanAnnotation } from '../../model/types'
import { PlainDocument, type AnswerDocument } from '../../surfaces/forms/document'
import { nameOf as nameOfAnswer } from '../../surfaces/forms/names'
import { answersOf, gapsIn, questionsOf, titleOf as titleOfField, type Gap, type Question } from '../../surfaces/forms/questions'
import { differencesOf } from '../../surfaces/text/compare'
import { TextController } from '../../surfaces/text/controller'
import type { Held } from './loopState'
import type { ReviewDraft, ReviewedAnswer } from './types'
import { say } from './phrases'

/** Above this many annotations a draft is not copied for every single edit. */
const LARGE = 1500
const PAUSE_MS = 200

export interface Start {
  readonly annotations: readonly Annotation[]
  readonly marks: readonly unknown[]
}

export type Save = (marks: readonly unknown[], annotations: readonly Annotation[], review?: ReviewDraft) => void

export interface Missing {
  readonly name: string
  /** The question to go to, or the annotation to choose. */
  readonly question?: string
  readonly annotation?: string
}

export class Desk {
  readonly questions: readonly Question[]
  document: AnswerDocument | null = null
  text: TextController | null = null
  gaps: readonly Gap[] = []
  missing: readonly Missing[] = []
  /** Which of the answers under review is on the desk. */
  which: string | null
  readonly #saved = new Map<string, Start>()
  #comment: string
  readonly #listeners = new Set<() => void>()
  #off: (() => void) | null = null
  #dirty = false
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(
    readonly held: Held,
    private readonly save: Save,
  ) {
    const { data, ontology } = held.assignment
    this.questions = questionsOf(ontology, data)
    const begun = held.draft?.review
    this.which = (this.answers.find((one) => one.id === begun?.which) ?? this.answers[0])?.id ?? null
    this.#comment = begun?.comment ?? ''
    for (const [id, { annotations, edits }] of Object.entries(begun?.others ?? {})) this.#saved.set(id, { annotations, marks: edits })
    if (data.medium !== 'image') this.#openPlain()
  }

  get key(): string {
    return `${this.held.assignment.handle}:${this.which ?? ''}`
  }

  get answers(): readonly ReviewedAnswer[] {
    return this.held.assignment.review?.answers ?? []
  }

  get ontology(): Ontology {
    return this.held.assignment.ontology
  }

  /** The answer under review as it was given, or what the task began with. */
  get given(): readonly Annotation[] {
    const { answer, data } = this.held.assignment
    const reviewed = this.answers.find((one) => one.id === this.which)
    return reviewed?.annotations ?? answer?.annotations ?? data.prelabels ?? []
  }

  /** How many suggestions the task was opened with, when it was not begun before. */
  get suggested(): number {
    const { answer, data, review } = this.held.assignment
    return this.held.draft || answer || review ? 0 : (data.prelabels?.length ?? 0)
  }

  /** What to open with: the draft wins over an earlier answer, and that over suggestions. */
  start(): Start {
    const here = this.#saved.get(this.which ?? '')
    if (here) return here
    const { draft } = this.held
    const drafted = draft?.review?.which ?? this.answers[0]?.id ?? null
    return draft && this.which === drafted ? { annotations: draft.annotations, marks: draft.edits } : { annotations: this.given, marks: [] }
  }

  #openPlain(): void {
    const { data, ontology } = this.held.assignment
    const start = this.start()
    const document = PlainDocument.resume(unique(start.annotations), start.marks)
    this.text = data.medium === 'text' ? new TextController(data.text, ontology, document) : null
    this.attach(document)
  }

  /** The answer in the making: made here, or by the board of a picture. */
  attach(document: AnswerDocument): void {
    this.#off?.()
    this.document = document
    // The picture of another answer has only now been opened.
    if (this.#dirty && this.#timer === null) this.flush()
    this.#off = document.on(() => this.#changed())
    this.#tell()
  }

  #changed(): void {
    const { document } = this
    if (!document) return
    this.#dirty = true
    if (this.missing.length > 0) this.check()
    this.#tell()
    if (document.annotations.length < LARGE) return this.flush()
    this.#timer ??= setTimeout(() => this.flush(), PAUSE_MS)
  }

  /** Hands the draft over now, if there is anything new: a task that was only looked at has no draft. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (!this.#dirty) return
    this.#dirty = false
    if (this.document) this.save(this.document.marks, this.document.annotations, this.#reviewDraft())
  }

  /** What a review has beyond the answer on the desk. */
  #reviewDraft(): ReviewDraft | undefined {
    if (!this.held.assignment.review) return undefined
    const others = [...this.#saved].filter(([id]) => id !== this.which).map(([id, { annotations, marks }]) => [id, { annotations, edits: marks }] as const)
    return { which: this.which, comment: this.#comment, others: Object.fromEntries(others) }
  }

  /** Words for the annotator, as far as they are written. */
  get comment(): string {
    return this.#comment
  }

  setComment(comment: string): void {
    if (comment === this.#comment) return
    this.#comment = comment
    this.#dirty = true
    this.#timer ??= setTimeout(() => this.flush(), PAUSE_MS)
    this.#tell()
  }

  /** Another of the answers under review. What was changed in this one is kept. */
  show(id: string): void {
    if (id === this.which || !this.document) return
    if (this.#timer) this.flush()
    this.#saved.set(this.which ?? '', { annotations: this.document.annotations, marks: this.document.marks })
    this.which = id
    this.gaps = []
    this.missing = []
    if (this.held.assignment.data.medium !== 'image') this.#openPlain()
    else {
      this.document = null
      this.#tell()
    }
    // Which answer is looked at is no work yet; with work in any of them it belongs to it.
    if (this.#started) this.#dirty = true
    if (this.document) this.flush()
  }

  get #started(): boolean {
    return this.#comment !== '' || this.held.draft !== null || [...this.#saved].some(([id, { annotations }]) => !sameAnnotations(annotations, this.#givenBy(id)))
  }

  #givenBy(id: string): readonly Annotation[] {
    return this.answers.find((one) => one.id === id)?.annotations ?? []
  }

  /** The reviewer has changed the answer. */
  get changed(): boolean {
    const now = this.document?.annotations
    return now !== undefined && !sameAnnotations(now, this.given)
  }

  answer(): Answer {
    return { annotations: settled(this.ontology, this.document?.annotations ?? []) }
  }

  /** True when it can be submitted; else `missing` names what is not there yet. */
  check(): boolean {
    const annotations = this.document?.annotations ?? []
    this.gaps = gapsIn(this.questions, annotations, this.ontology)
    // As they stand on the page: what is asked of each answer comes under it, before what is asked of all.
    const inSight = [...this.gaps.filter((gap) => gap.question.target), ...this.gaps.filter((gap) => !gap.question.target)]
    const fields = inSight.map((gap): Missing => ({ name: this.#nameOf(gap.question), question: gap.question.id }))
    this.missing = [...fields, ...incomplete(this.ontology, annotations)]
    this.#tell()
    return this.missing.length === 0
  }

  #nameOf({ field, target }: Question): string {
    const name = titleOfField(field)
    return target ? say('work.gap.attribute', { attribute: name, name: nameOfAnswer(answersOf(this.held.assignment.data), target) }) : name
  }

  on(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  dispose(): void {
    if (this.#timer) this.flush()
    this.#off?.()
    this.#listeners.clear()
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

/** Shapes and spans without a class, or without an attribute that is required. */
function incomplete(ontology: Ontology, annotations: readonly Annotation[]): readonly Missing[] {
  const found: Missing[] = []
  const asks = ontology.attributes.some((one) => one.required)
  for (const annotation of annotations) {
    if (!('class' in annotation)) continue
    if (annotation.class === '') {
      found.push({ name: say('work.gap.class', { name: annotation.kind }), annotation: annotation.id })
      continue
    }
    for (const attribute of asks ? attributesFor(ontology, annotation.class, annotation.attributes) : []) {
      if (!attribute.required) continue
      if (annotation.attributes?.[attribute.name] === undefined) {
        found.push({ name: say('work.gap.attribute', { attribute: attribute.title ?? attribute.name, name: annotation.class }), annotation: annotation.id })
      }
    }
    if (found.length > 50) break
  }
  return found
}

/** Suggestions from outside may repeat an id; one of them has to give way, not the page. */
function unique(annotations: readonly Annotation[]): readonly Annotation[] {
  const seen = new Set<string>()
  return annotations.filter((one) => !seen.has(one.id) && seen.add(one.id))
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (key: string, inner: unknown) => {
    if (key === 'attributes' && inner && typeof inner === 'object' && Object.keys(inner).length === 0) return undefined
    return inner && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner
  })

/** Annotations never change, so each is spelt out once only. */
const prints = new WeakMap<Annotation, string>()

/** Ids and order apart. */
function fingerprint(annotation: Annotation): string {
  let print = prints.get(annotation)
  if (print === undefined) {
    const { id: _id, ...rest } = annotation
    prints.set(annotation, (print = canonical(rest)))
  }
  return print
}

export function sameAnnotations(a: readonly Annotation[], b: readonly Annotation[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  const left = new Map<string, number>()
  for (const one of a) left.set(fingerprint(one), (left.get(fingerprint(one)) ?? 0) + 1)
  for (const one of b) {
    const count = left.get(fingerprint(one)) ?? 0
    if (count === 0) return false
    left.set(fingerprint(one), count - 1)
  }
  return true
}

/** In how many places two answers differ: spans by where they are, questions one by one, shapes by their classes. */
export function differences(a: readonly Annotation[], b: readonly Annotation[]): number {
  const spans = (all: readonly Annotation[]) => all.filter((one): one is SpanAnnotation => one.kind === 'span')
  const counts = new Map<string, { readonly group: string; count: number }>()
  const add = (one: Annotation, by: 1 | -1): void => {
    if (one.kind === 'span') return
    const found = counts.get(fingerprint(one)) ?? { group: 'class' in one ? `${one.kind} ${one.class}` : `${one.field} ${'target' in one ? (one.target ?? '') : ''}`, count: 0 }
    counts.set(fingerprint(one), { ...found, count: found.count + by })
  }
  for (const one of a) add(one, 1)
  for (const one of b) add(one, -1)
  // One moved box is one difference, not one here and one there.
  const groups = new Map<string, { here: number; there: number }>()
  for (const { group, count } of counts.values()) {
    const held = groups.get(group) ?? { here: 0, there: 0 }
    groups.set(group, { here: held.here + Math.max(0, count), there: held.there + Math.max(0, -count) })
  }
  return differencesOf(spans(a), spans(b)).length + [...groups.values()].reduce((sum, { here, there }) => sum + Math.max(here, there), 0)
}

/** The history of a draft as a list that people can read. */
export function readableHistory(document: AnswerDocument): readonly { readonly name: string; readonly at_ms: number; readonly undone: boolean }[] {
  const { done, undone } = document.history ?? emptyHistory<Annotation>()
  return [...[...undone].map((mark) => ({ name: mark.name, at_ms: mark.at_ms, undone: true })), ...[...done].reverse().map((mark) => ({ name: mark.name, at_ms: mark.at_ms, undone: false }))]
}
