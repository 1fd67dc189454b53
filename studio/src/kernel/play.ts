/** For tests: plays a list of events through a tool, as a surface would. */
import { type Edit, applyEdits } from './edits'
import type { Item, Scene } from './scene'
import { type Mods, NO_MODS, type PointerNews, type Step, type Tool, type ToolContext, type ToolEvent } from './tool'
import type { Vec } from './vec'

type Script = ToolEvent | { readonly type: 'up-here'; readonly mods: Mods }

const pointer = (type: PointerNews['type'], x: number, y: number, mods: Partial<Mods>, clicks: number): PointerNews => ({
  type,
  at: { x, y },
  mods: { ...NO_MODS, ...mods },
  by: 'mouse',
  clicks,
})

export const down = (x: number, y: number, mods: Partial<Mods> = {}, clicks = 1): Script =>
  pointer('down', x, y, mods, clicks)
export const move = (x: number, y: number, mods: Partial<Mods> = {}): Script => pointer('move', x, y, mods, 0)
/** Where the pointer is, unless said otherwise. */
export const up = (x?: number, y?: number, mods: Partial<Mods> = {}): Script =>
  x === undefined || y === undefined
    ? { type: 'up-here', mods: { ...NO_MODS, ...mods } }
    : pointer('up', x, y, mods, 0)
export const key = (name: string, mods: Partial<Mods> = {}): Script => ({
  type: 'key',
  key: name,
  mods: { ...NO_MODS, ...mods },
})
export const cancel = (): Script => ({ type: 'cancel' })
export const click = (x: number, y: number, mods: Partial<Mods> = {}, clicks = 1): Script[] => [
  move(x, y, mods),
  down(x, y, mods, clicks),
  up(x, y, mods),
]

export interface Played<S, P, T extends Item> {
  readonly scene: Scene<T>
  readonly selection: ReadonlySet<string>
  readonly edits: readonly Edit<T>[]
  readonly marks: readonly string[]
  readonly state: S
  readonly last: Step<S, P, T>
}

/** Give it what a fresh context is, get `play(tool, events, changes to the context)`. */
export function player<T extends Item, C extends ToolContext<T>>(fresh: () => C) {
  return <S, P>(
    tool: Tool<S, P, T, C>,
    events: readonly (Script | readonly Script[])[],
    changes: Partial<C> = {},
  ): Played<S, P, T> => {
    let context: C = { ...fresh(), ...changes }
    let at: Vec = { x: 0, y: 0 }
    let last: Step<S, P, T> = { state: tool.initial }
    const edits: Edit<T>[] = []
    const marks: string[] = []
    for (const script of events.flat()) {
      const event: ToolEvent = script.type === 'up-here' ? { ...pointer('up', at.x, at.y, script.mods, 0) } : script
      if ('at' in event) at = event.at
      last = tool.step(last.state, event, context)
      if (last.edits && last.edits.length > 0) {
        edits.push(...last.edits)
        marks.push(last.mark ?? tool.name)
        context = { ...context, scene: applyEdits(context.scene, last.edits) }
      }
      if (last.selection) context = { ...context, selection: new Set(last.selection) }
    }
    return { scene: context.scene, selection: context.selection, edits, marks, state: last.state, last }
  }
}
