/**
 * A tool is a pure step: (state, event, context) -> state, edits, what to show. It never touches the DOM, the clock or
 * chance, so a test of a tool is a list of events.
 */
import type { Edit } from './edits'
import type { Item, Scene } from './scene'
import type { Vec } from './vec'

export interface Mods {
  readonly shift: boolean
  readonly alt: boolean
  /** Control, or Command on a Mac. */
  readonly ctrl: boolean
}

export const NO_MODS: Mods = { shift: false, alt: false, ctrl: false }

export interface PointerNews {
  readonly type: 'down' | 'move' | 'up'
  /** In media pixels. */
  readonly at: Vec
  readonly mods: Mods
  /** Which hand: fingers get larger targets. */
  readonly by: 'mouse' | 'pen' | 'touch' | 'key'
  /** 1 for a click, 2 for the second press of a double click. */
  readonly clicks: number
}

export interface KeyNews {
  readonly type: 'key'
  /** As KeyboardEvent.key. */
  readonly key: string
  readonly mods: Mods
}

/** Escape, a second finger, a lost pointer, another tool: back to where it began, without a trace. */
export interface CancelNews {
  readonly type: 'cancel'
}

export type ToolEvent = PointerNews | KeyNews | CancelNews

export interface ToolContext<T extends Item> {
  readonly scene: Scene<T>
  readonly selection: ReadonlySet<string>
  /** Screen pixels per media pixel. */
  readonly zoom: number
  newId(): string
}

export interface Step<S, P, T> {
  readonly state: S
  readonly edits?: readonly Edit<T>[]
  /** Names the edits in the history. */
  readonly mark?: string
  /** The selection from now on; absent = unchanged. */
  readonly selection?: Iterable<string>
  /** CSS cursor; absent = the tool's own. */
  readonly cursor?: string
  /** What to show that is not in the scene yet; absent = nothing. */
  readonly preview?: P
  /** Was the key used? Unused keys go on to the surface. */
  readonly used?: boolean
}

export interface Tool<S, P, T extends Item, C extends ToolContext<T>> {
  readonly name: string
  readonly cursor: string
  readonly initial: S
  step(state: S, event: ToolEvent, context: C): Step<S, P, T>
  /** Is something begun that Escape would cancel? */
  busy(state: S): boolean
}
