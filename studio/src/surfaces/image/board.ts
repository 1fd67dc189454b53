/**
 * What is being labelled, without a screen: scene, history, selection, tool, armed class. Everything a person can do to
 * the shapes is a method here; the surface adds canvas, pointer and camera, the panels call the same methods.
 */
import { classesFor, boundsOfAnnotation, isSpatial } from '../../kinds/list'
import { type Edit, applyEdits, subject } from '../../kernel/edits'
import { Emitter } from '../../kernel/emitter'
import { type History, type Turn, emptyHistory, record, redo, undo } from '../../kernel/history'
import { Scene } from '../../kernel/scene'
import type { ToolEvent } from '../../kernel/tool'
import type { Size } from '../../kernel/vec'
import type { Annotation, Ontology, SpatialAnnotation, SpatialKind } from '../../model/types'
import type { ImageContext, Preview } from './tools/context'
import { type AnyTool, type ToolName, kindDrawn, toolOf } from './tools/list'

export type MarkName =
  | ToolName
  | 'move' | 'resize' | 'rotate' | 'vertex' | 'insert' | 'cut' | 'delete' | 'paste' | 'duplicate' | 'class'
  | 'attribute' | 'nudge' | 'size' | 'order' | 'field' // prettier-ignore

export interface Performed {
  readonly edits: readonly Edit<Annotation>[]
  readonly mark: string
  readonly how: 'do' | 'undo' | 'redo'
}

export interface BoardEvents {
  edits: Performed
  selection: ReadonlySet<string>
  needsClass: readonly string[]
  tool: ToolName
  /** Shapes to draw anew; null = all. */
  scene: ReadonlySet<string> | null
  /** Preview, cursor, handles: the live layer only. */
  live: null
  /** Anything a panel shows. */
  change: null
}

export interface BoardOptions {
  readonly annotations: readonly Annotation[]
  readonly ontology: Ontology
  readonly size: Size
  readonly history?: History<Annotation> | null
  readonly readOnly?: boolean
  readonly newId?: () => string
  readonly now_ms?: () => number
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(14))
  return Array.from(bytes, (b) => ALPHABET[b % ALPHABET.length]).join('')
}

const NO_PREVIEW: Preview = {}

export class Board {
  readonly events = new Emitter<BoardEvents>()
  readonly size: Size
  readonly newId: () => string
  scene: Scene<Annotation>
  history: History<Annotation>
  ontology: Ontology
  readOnly: boolean
  selection: ReadonlySet<string> = new Set()
  tool: ToolName = 'select'
  /** The class the next shape gets; null = ask (unless only one fits). */
  activeClass: string | null = null
  /** Most recent first. */
  recentClasses: readonly string[] = []
  hiddenClasses: ReadonlySet<string> = new Set()
  preview: Preview = NO_PREVIEW
  cursor = 'default'
  turning = false
  vertex: number | null = null
  hover: string | null = null
  zoom = 1
  private readonly now_ms: () => number
  private state: unknown
  /** Shapes that were drawn without a class: naming them belongs to drawing them. */
  private fresh: ReadonlySet<string> = new Set()

  constructor(options: BoardOptions) {
    this.size = options.size
    this.ontology = options.ontology
    this.readOnly = options.readOnly ?? false
    this.newId = options.newId ?? randomId
    this.now_ms = options.now_ms ?? Date.now
    this.scene = Scene.of(options.annotations, boundsOfAnnotation)
    this.history = options.history ?? emptyHistory()
    this.state = this.current.initial
  }

  get current(): AnyTool {
    return toolOf(this.tool)
  }

  get busy(): boolean {
    return this.current.busy(this.state)
  }

  get context(): ImageContext {
    return {
      scene: this.scene,
      selection: this.selection,
      zoom: this.zoom,
      size: this.size,
      ontology: this.ontology,
      turning: this.turning,
      vertex: this.vertex,
      readOnly: this.readOnly,
      newId: this.newId,
      classFor: (kind) => this.classFor(kind),
      visible: (a) => this.visible(a),
    }
  }

  visible(a: Annotation): boolean {
    return !('class' in a) || !this.hiddenClasses.has(a.class)
  }

  /** Armed class if it fits the kind; the only one that fits; else '' = ask afterwards. */
  classFor(kind: SpatialKind): string {
    const fitting = classesFor(this.ontology, kind)
    if (fitting.some((c) => c.name === this.activeClass)) return this.activeClass as string
    return fitting.length === 1 ? (fitting[0]?.name ?? '') : ''
  }

  // ---- tools ----

  /** One event through the tool. True when it was used. */
  send(event: ToolEvent): boolean {
    const step = this.current.step(this.state, event, this.context)
    this.state = step.state
    const before = this.preview
    this.preview = step.preview ?? NO_PREVIEW
    const cursor = step.cursor ?? this.current.cursor
    const drew = this.preview !== before || cursor !== this.cursor
    this.cursor = cursor
    const hover = this.preview.hover ?? null
    if (hover !== this.hover) this.setHover(hover)
    if (this.preview.vertex !== undefined) this.vertex = this.preview.vertex
    if (step.edits && step.edits.length > 0) this.drawn(step.edits, (step.mark ?? this.tool) as MarkName)
    if (step.selection) this.select(step.selection)
    if (drew) this.events.emit('live', null)
    if (step.edits) this.askForClass(step.edits)
    return step.used ?? true
  }

  private drawn(edits: readonly Edit<Annotation>[], mark: MarkName): void {
    const only = edits.length === 1 ? edits[0] : undefined
    this.perform(edits, mark, only?.op === 'add' ? `new:${only.item.id}` : undefined)
  }

  private askForClass(edits: readonly Edit<Annotation>[]): void {
    const unnamed = edits.flatMap((e) => (e.op === 'add' && 'class' in e.item && e.item.class === '' ? [e.item.id] : []))
    if (unnamed.length === 0) return
    this.fresh = new Set(unnamed)
    this.events.emit('needsClass', unnamed)
  }

  setTool(name: ToolName): void {
    if (name === this.tool) return
    this.cancel()
    this.tool = name
    this.state = this.current.initial
    this.cursor = this.current.cursor
    this.turning = false
    this.events.emit('tool', name)
    this.events.emit('live', null)
    this.events.emit('change', null)
  }

  /** Back to where the tool began, without a trace. */
  cancel(): void {
    this.send({ type: 'cancel' })
  }

  /** Escape always gets out, one step at a time. False when there was nothing to get out of. */
  escape(): boolean {
    if (this.busy || this.preview.ghosts || this.preview.path) this.cancel()
    else if (this.turning) this.setTurning(false)
    else if (this.selection.size > 0) this.select([])
    else if (this.tool !== 'select') this.setTool('select')
    else return false
    return true
  }

  setTurning(on: boolean): void {
    const allowed = this.ontology.limits?.box?.can_rotate !== false && !this.readOnly
    this.turning = on && allowed
    this.events.emit('live', null)
    this.events.emit('change', null)
  }

  // ---- what is chosen ----

  select(ids: Iterable<string>): void {
    const next = new Set<string>()
    for (const id of ids) if (this.scene.has(id)) next.add(id)
    if (next.size === this.selection.size && [...next].every((id) => this.selection.has(id))) return
    this.selection = next
    this.vertex = null
    if (next.size !== 1) this.turning = false
    this.events.emit('selection', next)
    this.events.emit('live', null)
    this.events.emit('change', null)
  }

  setHover(id: string | null): void {
    if (id === this.hover) return
    this.hover = id
    this.events.emit('live', null)
    this.events.emit('change', null)
  }

  setActiveClass(name: string | null): void {
    this.activeClass = name
    if (name !== null) this.used(name)
    this.events.emit('live', null)
    this.events.emit('change', null)
  }

  /** Arming a class for shapes that the current tool cannot draw changes to a tool that can. */
  arm(name: string): void {
    const kinds = this.ontology.classes.find((c) => c.name === name)?.kinds ?? []
    this.setActiveClass(name)
    const kind = kindDrawn(this.tool)
    if (kind !== null && kinds.includes(kind)) return
    const first = kinds.find((k): k is SpatialKind => k === 'box' || k === 'polygon' || k === 'line' || k === 'point')
    if (first) this.setTool(first)
  }

  setHiddenClasses(names: Iterable<string>): void {
    this.hiddenClasses = new Set(names)
    this.select([...this.selection].filter((id) => this.visible(this.scene.get(id))))
    this.events.emit('scene', null)
    this.events.emit('change', null)
  }

  setOntology(ontology: Ontology): void {
    this.ontology = ontology
    this.events.emit('scene', null)
    this.events.emit('change', null)
  }

  used(name: string): void {
    this.recentClasses = [name, ...this.recentClasses.filter((n) => n !== name)].slice(0, 9)
  }

  // ---- edits ----

  /** Applies edits and remembers them under a name. Throws, and changes nothing, when they do not fit. */
  perform(edits: readonly Edit<Annotation>[], mark: MarkName, join?: string): void {
    if (edits.length === 0 || this.readOnly) return
    const naming = join?.startsWith('new:') ?? false
    this.take(edits)
    this.history = record(
      this.history,
      { name: mark, edits, at_ms: this.now_ms(), ...(join === undefined ? {} : { join }) },
      naming ? Infinity : undefined,
    )
    this.events.emit('edits', { edits, mark, how: 'do' })
    this.events.emit('change', null)
  }

  undo(): boolean {
    if (this.busy) {
      this.undoInTool()
      return true
    }
    return this.turn(undo(this.history), 'undo')
  }

  redo(): boolean {
    return this.turn(redo(this.history), 'redo')
  }

  /** While a path is being drawn, undo takes back its last point. */
  private undoInTool(): void {
    const used = this.send({ type: 'key', key: 'Backspace', mods: { shift: false, alt: false, ctrl: false } })
    if (!used) this.cancel()
  }

  private turn(turn: Turn<Annotation> | null, how: 'undo' | 'redo'): boolean {
    if (!turn || this.readOnly) return false
    this.cancel()
    this.take(turn.edits)
    this.history = turn.history
    const touched = new Set(turn.edits.map((edit) => subject(edit)))
    this.select([...touched].filter((id) => this.scene.has(id)))
    this.events.emit('edits', { edits: turn.edits, mark: turn.mark.name, how })
    this.events.emit('change', null)
    return true
  }

  private take(edits: readonly Edit<Annotation>[]): void {
    this.scene = applyEdits(this.scene, edits)
    if ([...this.selection].some((id) => !this.scene.has(id))) this.select(this.selection)
    if (this.vertex !== null) this.vertex = null
    this.events.emit('scene', new Set(edits.map((edit) => subject(edit))))
  }

  /** Another answer altogether: no edit, no undo across it. */
  load(annotations: readonly Annotation[], history: History<Annotation> | null): void {
    this.cancel()
    this.scene = Scene.of(annotations, boundsOfAnnotation)
    this.history = history ?? emptyHistory()
    this.select([])
    this.events.emit('scene', null)
    this.events.emit('change', null)
  }

  /** The join key that makes naming a fresh shape part of drawing it. */
  joinFor(ids: readonly string[]): string | undefined {
    const last = this.history.done.at(-1)
    const only = ids.length === 1 ? ids[0] : undefined
    return only !== undefined && this.fresh.has(only) && last?.join === `new:${only}` ? last.join : undefined
  }

  selected(): Annotation[] {
    return [...this.selection].map((id) => this.scene.get(id))
  }

  selectedShapes(): SpatialAnnotation[] {
    return this.selected().filter((a) => isSpatial(a))
  }
}
