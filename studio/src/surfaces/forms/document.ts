/**
 * The answer that is being made: annotations, what was done to them, and the way back. Surfaces that share a task (a picture and
 * its form) share one document, so that undo follows the order in which a person did things.
 */
import { addEdits, applyEdits, changeEdit, removeEdits, type Edit } from '../../kernel/edits'
import { emptyHistory, fits, record, redo, restore, store, undo, type History, type Mark, type StoredMark } from '../../kernel/history'
import { Scene, type Bounds } from '../../kernel/scene'
import { checkAnnotation } from '../../model/check'
import type { Annotation } from '../../model/types'

export type AnnotationEdit = Edit<Annotation>

interface DocumentState {
  readonly scene: Scene<Annotation>
  readonly history: History<Annotation>
}

const nowhere: Bounds<Annotation> = () => null

const isAnnotation = (value: unknown): value is Annotation => checkAnnotation(value).ok

/** What surfaces and forms need of it. The image board keeps its own scene and history and is given this face. */
export interface AnswerDocument {
  /** Another object after every change. */
  readonly scene: Scene<Annotation>
  readonly annotations: readonly Annotation[]
  readonly history: History<Annotation>
  /** The history as a draft keeps it. */
  readonly marks: readonly StoredMark<Annotation>[]
  /** Does something that has a name; marks with the same `join` in quick succession are one step back. */
  commit(name: string, edits: readonly AnnotationEdit[], join?: string): void
  add(name: string, annotations: readonly Annotation[]): void
  remove(name: string, ids: Iterable<string>): void
  /** Puts the annotation in place of the one with its id, or adds it. */
  put(name: string, annotation: Annotation, join?: string): void
  undo(): boolean
  redo(): boolean
  on(listener: () => void): () => void
}

/** The history of a draft, when it leads to this scene; null when it does not: better no undo than a wrong one. */
export function historyOf(marks: readonly unknown[], scene: Scene<Annotation>): History<Annotation> | null {
  const history = restore(marks, isAnnotation)
  return history && fits(history, scene) ? history : null
}

export class PlainDocument implements AnswerDocument {
  #state: DocumentState
  #annotations: readonly Annotation[] | null = null
  readonly #listeners = new Set<() => void>()
  readonly #now: () => number

  constructor(annotations: readonly Annotation[], options: { readonly bounds?: Bounds<Annotation>; readonly now?: () => number } = {}) {
    this.#state = { scene: Scene.of(annotations, options.bounds ?? nowhere), history: emptyHistory() }
    this.#now = options.now ?? (() => Date.now())
  }

  /** With the history of a draft, when it fits what the draft says; without, when it does not. */
  static resume(annotations: readonly Annotation[], marks: readonly unknown[], options: ConstructorParameters<typeof PlainDocument>[1] = {}): PlainDocument {
    const document = new PlainDocument(annotations, options)
    const history = historyOf(marks, document.scene)
    if (history) document.#state = { ...document.#state, history }
    return document
  }

  get history(): History<Annotation> {
    return this.#state.history
  }

  get scene(): Scene<Annotation> {
    return this.#state.scene
  }

  get annotations(): readonly Annotation[] {
    this.#annotations ??= this.#state.scene.items()
    return this.#annotations
  }

  get marks(): StoredMark<Annotation>[] {
    return store(this.#state.history)
  }

  commit(name: string, edits: readonly AnnotationEdit[], join?: string): void {
    if (edits.length === 0) return
    const mark: Mark<Annotation> = { name, edits, at_ms: this.#now(), ...(join === undefined ? {} : { join }) }
    this.#set({ scene: applyEdits(this.#state.scene, edits), history: record(this.#state.history, mark) })
  }

  add(name: string, annotations: readonly Annotation[]): void {
    this.commit(name, addEdits(this.#state.scene, annotations))
  }

  remove(name: string, ids: Iterable<string>): void {
    this.commit(name, removeEdits(this.#state.scene, ids))
  }

  put(name: string, annotation: Annotation, join?: string): void {
    const before = this.#state.scene.find(annotation.id)
    if (!before) return this.commit(name, addEdits(this.#state.scene, [annotation]), join)
    const edit = changeEdit(before, annotation)
    if (edit) this.commit(name, [edit], join)
  }

  undo(): boolean {
    return this.#turn(undo(this.#state.history))
  }

  redo(): boolean {
    return this.#turn(redo(this.#state.history))
  }

  on(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #turn(turn: ReturnType<typeof undo<Annotation>>): boolean {
    if (!turn) return false
    this.#set({ scene: applyEdits(this.#state.scene, turn.edits), history: turn.history })
    return true
  }

  #set(state: DocumentState): void {
    this.#state = state
    this.#annotations = null
    for (const listener of [...this.#listeners]) listener()
  }
}

/** Ids are made where the work is done, and need to be unique in one answer only. */
export function newAnnotationId(prefix: string): string {
  const random = crypto.getRandomValues(new Uint32Array(2))
  return `${prefix}-${Date.now().toString(36)}${[...random].map((n) => n.toString(36)).join('')}`.slice(0, 64)
}
