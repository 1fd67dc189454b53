/** What the task loop shows of itself. */
import type { Assignment, Draft, Empty, Lesson, Parcel } from './types'

export interface Held {
  readonly assignment: Assignment
  /** Where the work on it stood when it was opened. */
  readonly draft: Draft | null
  /** The lease ran out; the work goes on and is sent late. */
  readonly lost: boolean
}

export type SaveState = 'saved' | 'saving' | 'device' | 'unsafe'

export interface Notice {
  readonly id: string
  readonly kind: 'lost' | 'late' | 'extra' | 'refused' | 'recall' | 'note' | 'full'
  readonly title: string
  readonly text: string
}

export interface LoopState {
  readonly phase: 'starting' | 'work' | 'empty' | 'trouble'
  readonly current: Held | null
  readonly ready: readonly Held[]
  readonly empty: Empty | null
  /** Milliseconds since 1970: when the queue is asked again by itself. */
  readonly retryAt: number | null
  readonly trouble: unknown
  readonly signin: boolean
  readonly reachable: boolean
  readonly save: SaveState
  /** The browser would not keep the last of it on this device. */
  readonly full: boolean
  readonly waiting: number
  readonly refused: readonly Parcel[]
  readonly last: { readonly parcel: string; readonly handle: string; readonly title: string } | null
  readonly notices: readonly Notice[]
  /** Answered training tasks whose feedback has not been read. */
  readonly lessons: readonly Lesson[]
  readonly done: number
}

export const START: LoopState = {
  phase: 'starting',
  current: null,
  ready: [],
  empty: null,
  retryAt: null,
  trouble: null,
  signin: false,
  reachable: true,
  save: 'saved',
  full: false,
  waiting: 0,
  refused: [],
  last: null,
  notices: [],
  lessons: [],
  done: 0,
}

export function titleOf(assignment: Assignment): string {
  const { data } = assignment
  return data.name ?? (data.medium === 'image' ? data.image.name : assignment.task.slice(-6))
}
