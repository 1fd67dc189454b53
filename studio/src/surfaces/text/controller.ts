/**
 * What a person can do with a text, without the DOM: caret and selection, the label that is kept for the next selection, the chosen
 * span. All offsets are code points.
 */
import { changeEdit } from '../../kernel/edits'
import { attributesAs } from '../../kinds/list'
import type { AttributeValue, Ontology, OntologyClass, SpanAnnotation } from '../../model/types'
import type { Other } from '../forms/compare'
import { newAnnotationId, type AnswerDocument } from '../forms/document'
import { differencesOf, takingOver, type Difference } from './compare'
import { assignLanes, chunkRows, inReadingOrder, spansByChunk, splitRows, type Chunk, type Row } from './layout'
import { indexText, type TextIndex } from './offsets'
import { occurrencesOf, stepCharacter, stepWord, trimRange, unlabelled, wordAt, type Direction, type Range } from './words'
import { say } from './phrases'

export interface Caret {
  readonly anchor: number
  readonly focus: number
  /** Who moved it: the browser's own selection must follow the keyboard, and must be left alone while the mouse makes it. */
  readonly by: 'key' | 'pointer'
}

export interface TextState {
  readonly caret: Caret | null
  readonly chosen: string | null
  readonly armed: string | null
  readonly picking: boolean
  /** For the live region. */
  readonly said: string
  /** Counts the times that the chosen span should be brought into view. */
  readonly reveal: number
}

export interface Plan {
  readonly spans: readonly SpanAnnotation[]
  readonly lanes: ReadonlyMap<string, number>
  /** With the spans of another answer where that differs. */
  readonly byChunk: readonly (readonly SpanAnnotation[])[]
  readonly other: Other | null
  readonly differences: readonly Difference[]
  /** Ids of spans that the other answer does not have like this. */
  readonly differing: ReadonlySet<string>
}

/** Before the ids of spans of another answer: no annotation may be called so. */
export const GHOST = '~'

export class TextController {
  readonly index: TextIndex
  readonly rows: readonly Row[]
  readonly chunks: readonly Chunk[]
  readonly classes: readonly OntologyClass[]
  #state: TextState = { caret: null, chosen: null, armed: null, picking: false, said: '', reveal: 0 }
  #recent: readonly string[] = []
  #plan: { readonly of: unknown; readonly plan: Plan } | null = null
  #other: Other | null = null
  #ghosts: ReadonlyMap<SpanAnnotation, SpanAnnotation> = new Map()
  readonly #listeners = new Set<() => void>()

  constructor(
    text: string,
    readonly ontology: Ontology,
    readonly document: AnswerDocument,
    readonly readOnly = false,
  ) {
    this.index = indexText(text)
    this.rows = splitRows(this.index)
    this.chunks = chunkRows(this.rows)
    this.classes = ontology.classes.filter((one) => one.kinds.includes('span'))
  }

  get state(): TextState {
    return this.#state
  }

  /** Spans in reading order with their lanes; made once for each state of the document. */
  get plan(): Plan {
    const of = this.document.annotations
    if (this.#plan?.of === of) return this.#plan.plan
    const spans = inReadingOrder(of.filter((one): one is SpanAnnotation => one.kind === 'span' && one.start < this.index.length))
    const differences = this.#other ? differencesOf(spans, [...this.#ghosts.keys()]) : []
    const ghosts = differences.flatMap((one) => (one.theirs ? [this.#ghosts.get(one.theirs)!] : []))
    const laid = ghosts.length ? inReadingOrder([...spans, ...ghosts]) : spans
    const differing = new Set(differences.flatMap((one) => (one.mine ? [one.mine.id] : [])))
    const plan: Plan = { spans, lanes: assignLanes(laid), byChunk: spansByChunk(this.chunks, laid), other: this.#other, differences, differing }
    this.#plan = { of, plan }
    return plan
  }

  on(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #set(change: Partial<TextState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of [...this.#listeners]) listener()
  }

  /** Shows where another answer differs; null shows this one alone. */
  compare(other: Other | null): void {
    if (other === this.#other) return
    this.#other = other
    const spans = other?.annotations.filter((one): one is SpanAnnotation => one.kind === 'span' && one.start < this.index.length) ?? []
    // Made once, so that rows which show them are not drawn again for every edit.
    this.#ghosts = new Map(spans.map((span) => [span, { ...span, id: GHOST + span.id }]))
    this.#plan = null
    this.#set({})
  }

  goTo(difference: Difference): void {
    if (difference.mine) return this.choose(difference.mine.id, true)
    this.#set({ chosen: null, reveal: this.#state.reveal + 1, caret: { anchor: difference.start, focus: difference.start, by: 'key' } })
  }

  takeOver(difference: Difference): void {
    if (this.readOnly) return
    this.document.commit(say('text.mark.take'), takingOver(difference, this.document.scene, () => newAnnotationId('s')))
  }

  // ---- caret and selection ----

  selection(): Range | null {
    const { caret } = this.#state
    if (!caret || caret.anchor === caret.focus) return null
    return trimRange(this.index, { start: Math.min(caret.anchor, caret.focus), end: Math.max(caret.anchor, caret.focus) })
  }

  /** The pointer has made this selection. */
  select(anchor: number, focus: number): void {
    this.#set({ caret: { anchor, focus, by: 'pointer' }, picking: false })
  }

  selectWord(point: number): void {
    const word = wordAt(this.index, this.rows, point)
    this.#set({ caret: { anchor: word.start, focus: word.end, by: 'key' } })
  }

  clearSelection(): void {
    const { caret } = this.#state
    this.#set({ caret: caret ? { anchor: caret.focus, focus: caret.focus, by: 'key' } : null, picking: false })
  }

  move(direction: Direction, by: 'character' | 'word', extend: boolean): void {
    const step = by === 'word' ? stepWord : stepCharacter
    const { caret } = this.#state
    if (!caret) return this.place(this.chosenSpan()?.start ?? 0, false)
    if (!extend && caret.anchor !== caret.focus && by === 'character') {
      // As everywhere: an arrow without Shift goes to that end of the selection.
      return this.place(direction < 0 ? Math.min(caret.anchor, caret.focus) : Math.max(caret.anchor, caret.focus), false)
    }
    this.place(step(this.index, this.rows, caret.focus, direction), extend)
  }

  place(point: number, extend: boolean): void {
    const focus = Math.max(0, Math.min(point, this.index.length))
    const anchor = extend ? (this.#state.caret?.anchor ?? focus) : focus
    const text = extend ? clip(this.index.slice(Math.min(anchor, focus), Math.max(anchor, focus))) : this.#around(focus)
    this.#set({ caret: { anchor, focus, by: 'key' }, picking: false, said: extend && anchor !== focus ? say('text.say.selected', { text }) : text })
  }

  #around(point: number): string {
    const word = wordAt(this.index, this.rows, point)
    return clip(this.index.slice(word.start, word.end))
  }

  // ---- labels ----

  /** Last used first. */
  get classesByUse(): readonly OntologyClass[] {
    const rank = (one: OntologyClass): number => {
      const at = this.#recent.indexOf(one.name)
      return at < 0 ? this.#recent.length : at
    }
    return [...this.classes].sort((a, b) => rank(a) - rank(b))
  }

  /** The class for a key: its own hotkey, else its number. */
  classForKey(key: string): OntologyClass | null {
    const own = this.classes.find((one) => one.hotkey !== undefined && one.hotkey.toLowerCase() === key.toLowerCase())
    if (own) return own
    return /^[1-9]$/.test(key) ? (this.classes[Number(key) - 1] ?? null) : null
  }

  /** What a class does now: label the selection, rename the chosen span, or be kept for the next selection. */
  use(name: string): void {
    if (this.readOnly) return
    const range = this.selection()
    if (range) return this.label(name, range)
    const span = this.chosenSpan()
    if (span) return this.setClass(name)
    this.arm(this.#state.armed === name ? null : name)
  }

  arm(name: string | null): void {
    this.#set({ armed: name, picking: false, said: name ? say('text.say.armed', { name }) : say('text.say.disarmed') })
  }

  label(name: string, range: Range): void {
    if (this.readOnly || range.end <= range.start) return
    const same = this.plan.spans.find((span) => span.start === range.start && span.end === range.end && span.class === name)
    if (same) return this.choose(same.id)
    const span: SpanAnnotation = { id: newAnnotationId('s'), kind: 'span', class: name, start: range.start, end: range.end }
    this.document.add(say('text.mark.label', { name }), [span])
    this.#used(name)
    this.#set({
      chosen: span.id,
      caret: { anchor: range.end, focus: range.end, by: 'key' },
      picking: false,
      said: say('text.say.labelled', { text: clip(this.index.slice(range.start, range.end)), name }),
    })
  }

  #used(name: string): void {
    this.#recent = [name, ...this.#recent.filter((one) => one !== name)]
  }

  /** The selection is made: label it when a label is kept, else ask. */
  finish(): void {
    if (this.readOnly) return
    const range = this.selection()
    if (!range) return
    if (this.#state.armed) this.label(this.#state.armed, range)
    else if (this.classes.length === 1) this.label(this.classes[0]!.name, range)
    else this.#set({ picking: true })
  }

  closePicker(): void {
    this.#set({ picking: false })
  }

  // ---- the chosen span ----

  chosenSpan(): SpanAnnotation | null {
    const { chosen } = this.#state
    const found = chosen === null ? null : this.document.scene.find(chosen)
    return found?.kind === 'span' ? found : null
  }

  choose(id: string | null, reveal = false): void {
    const at = id === null ? -1 : this.plan.spans.findIndex((span) => span.id === id)
    const span = this.plan.spans[at]
    this.#set({
      chosen: span ? span.id : null,
      picking: false,
      reveal: this.#state.reveal + (reveal ? 1 : 0),
      caret: span && reveal ? { anchor: span.start, focus: span.start, by: 'key' } : this.#state.caret,
      said: span ? say('text.say.chosen', { name: span.class, text: clip(this.index.slice(span.start, span.end)), rank: at + 1, count: this.plan.spans.length }) : '',
    })
  }

  /** The shortest span at a place; pressed again, the next longer one. */
  chooseAt(point: number): void {
    const here = this.plan.spans.filter((span) => span.start <= point && span.end >= point).sort((a, b) => a.end - a.start - (b.end - b.start))
    const at = here.findIndex((span) => span.id === this.#state.chosen)
    this.choose(here[at < 0 ? 0 : (at + 1) % here.length]?.id ?? null)
  }

  step(direction: Direction): void {
    const { spans } = this.plan
    if (spans.length === 0) return
    const at = spans.findIndex((span) => span.id === this.#state.chosen)
    const from = this.#state.caret?.focus ?? 0
    const first = direction > 0 ? spans.findIndex((span) => span.start >= from) : spans.findLastIndex((span) => span.start < from)
    const next = at < 0 ? (first < 0 ? (direction > 0 ? 0 : spans.length - 1) : first) : (at + direction + spans.length) % spans.length
    this.choose(spans[next]?.id ?? null, true)
  }

  setClass(name: string): void {
    const span = this.chosenSpan()
    if (!span || this.readOnly || span.class === name) return
    const { attributes: held, ...bare } = span
    const attributes = held && attributesAs(this.ontology, name, held)
    const edit = changeEdit<SpanAnnotation>(span, { ...bare, class: name, ...(attributes ? { attributes } : {}) })
    if (edit) this.document.commit(say('text.mark.class'), [edit])
    this.#used(name)
  }

  setAttribute(name: string, value: AttributeValue | null): void {
    const span = this.chosenSpan()
    if (!span || this.readOnly) return
    const { [name]: _gone, ...rest } = span.attributes ?? {}
    const attributes = value === null ? rest : { ...rest, [name]: value }
    const edit = changeEdit(span, { ...span, attributes })
    if (edit) this.document.commit(say('text.mark.attribute'), [edit], `attribute:${span.id}:${name}`)
  }

  /** Moves one end; never past the other, never out of the text. */
  setEnd(which: 'start' | 'end', point: number): void {
    const span = this.chosenSpan()
    if (!span || this.readOnly) return
    const next = which === 'start' ? { ...span, start: Math.max(0, Math.min(point, span.end - 1)) } : { ...span, end: Math.min(this.index.length, Math.max(point, span.start + 1)) }
    const edit = changeEdit(span, next)
    if (edit) this.document.commit(say('text.mark.ends'), [edit], `end:${span.id}:${which}`)
  }

  stepEnd(which: 'start' | 'end', direction: Direction, by: 'character' | 'word'): void {
    const span = this.chosenSpan()
    if (!span) return
    const step = by === 'word' ? stepWord : stepCharacter
    this.setEnd(which, step(this.index, this.rows, span[which], direction))
  }

  removeChosen(): void {
    const span = this.chosenSpan()
    if (!span || this.readOnly) return
    this.document.remove(say('text.mark.delete'), [span.id])
    this.#set({ chosen: null, said: say('text.say.deleted', { name: span.class }), caret: { anchor: span.start, focus: span.start, by: 'key' } })
  }

  /** Other places where the words of the chosen span stand, without that label yet. */
  others(): readonly Range[] {
    const span = this.chosenSpan()
    if (!span || span.end - span.start > 500) return []
    return unlabelled(occurrencesOf(this.index, span), this.plan.spans, span.class)
  }

  labelOthers(): void {
    const span = this.chosenSpan()
    if (!span || this.readOnly) return
    const places = this.others()
    if (places.length === 0) return
    const made = places.map((place): SpanAnnotation => ({
      id: newAnnotationId('s'),
      kind: 'span',
      class: span.class,
      start: place.start,
      end: place.end,
      ...(span.attributes ? { attributes: span.attributes } : {}),
    }))
    this.document.add(say('text.mark.others'), made)
    this.#set({ said: say('text.say.others', { count: made.length, name: span.class }) })
  }

  counts(): ReadonlyMap<string, number> {
    const found = new Map<string, number>()
    for (const span of this.plan.spans) found.set(span.class, (found.get(span.class) ?? 0) + 1)
    return found
  }

  /** One step out: picker, selection, chosen span, kept label. False when there was nothing to leave. */
  escape(): boolean {
    const { picking, chosen, armed } = this.#state
    if (picking) this.closePicker()
    else if (this.selection()) this.clearSelection()
    else if (chosen) this.choose(null)
    else if (armed) this.arm(null)
    else return false
    return true
  }
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
