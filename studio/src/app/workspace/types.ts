/** What the work routes say (`/api/v1/work`), strictly as in the contract, and what the browser keeps of it. */
import type { Annotation, Answer, Ontology, TaskData } from '../../model/types'
import type { PackedDraft } from './pack'

export type Role = 'label' | 'review'

/** Opaque to the server. `edits` is the undo history; `annotations` is where it has led. */
export interface Draft {
  readonly edits: readonly unknown[]
  readonly annotations: readonly Annotation[]
  readonly seconds: number
  readonly review?: ReviewDraft
}

/** A review that was begun: which answer is on the desk, what was changed in the others, and the words for the annotator. */
export interface ReviewDraft {
  readonly which: string | null
  readonly comment: string
  readonly others: Readonly<Record<string, { readonly edits: readonly unknown[]; readonly annotations: readonly Annotation[] }>>
}

export interface Rate {
  readonly amount: number
  readonly currency: string
  readonly per?: string
}

export interface ReviewedAnswer {
  readonly id: string
  readonly by: string
  readonly annotations: readonly Annotation[]
  readonly extra: boolean
  readonly late: boolean
  readonly submitted_at: string
}

export interface ReviewComment {
  readonly at?: string
  readonly by?: string
  readonly text?: string
  readonly comment?: string
}

export interface Assignment {
  readonly handle: string
  readonly role: Role
  readonly task: string
  readonly project: { readonly id: string; readonly name: string; readonly medium: string; readonly rate?: Rate | string | number | null }
  readonly data: TaskData
  readonly ontology: Ontology
  /** For this task only; the project's are fetched apart. */
  readonly instructions?: string | null
  readonly instructions_version: number
  readonly lease_until: string
  readonly lease_s: number
  readonly server_now: string
  readonly draft: { readonly version: number; readonly body: Draft | PackedDraft } | null
  readonly answer: Answer | null
  readonly review?: {
    readonly by: string
    readonly answers: readonly ReviewedAnswer[]
    readonly comments: readonly (ReviewComment | string)[]
  } | null
  readonly message?: string | null
  /** For what the device keeps of it: 32 bytes as base64. Taken off at the door, and in memory only. */
  readonly draft_key?: string
}

export type EmptyReason = 'nothing_open' | 'all_taken' | 'no_seat' | 'done_by_you' | 'paused' | 'course' | 'kept_off'

export interface Empty {
  readonly reason: EmptyReason
  readonly text: string
  readonly retry_after_s: number
}

export interface NextReply {
  readonly assignments: readonly Assignment[]
  readonly empty: Empty | null
}

export interface Verdict {
  readonly decision: 'accept' | 'fix' | 'reject'
  readonly comment?: string
  readonly answer_id?: string
}

export interface SubmitBody {
  readonly key: string
  readonly answer: Answer
  readonly seconds: number
  readonly verdict?: Verdict
}

export interface SubmitReply {
  readonly state: 'submitted'
  readonly late: boolean
  readonly extra: boolean
  readonly note: string | null
  readonly paid_s: number
  readonly feedback?: Feedback | null
}

/** After a task of the training course. `again`: not passed, and it begins anew. */
export interface Feedback {
  /** Agreement with the expected answer, 0 to 1. */
  readonly score: number
  readonly expected: Answer
  readonly done: number
  readonly of: number
  readonly course: 'open' | 'passed' | 'again' | 'failed'
}

/** A training task that was answered: one's own answer, and the expected one to set beside it. */
export interface Lesson {
  readonly id: string
  readonly assignment: Assignment
  readonly answer: Answer
  readonly feedback: Feedback
}

export type SkipReason = 'unclear' | 'broken' | 'not_mine' | 'other'
export const SKIP_REASONS: readonly SkipReason[] = ['unclear', 'broken', 'not_mine', 'other']

export interface Instructions {
  readonly version: number
  readonly markdown: string
  readonly changed_at: string
  readonly changes: readonly { readonly version: number; readonly at: string; readonly summary: string }[]
  readonly questions: readonly { readonly question: string; readonly answer: string; readonly at: string }[]
  /** Whose name is laid over what can't carry it itself; empty where the customer does not want that. */
  readonly viewer?: string
}

export interface InboxItem {
  readonly at: string
  readonly kind: 'rejected' | 'late' | 'answered' | 'instructions'
  readonly text: string
  readonly project: string | { readonly id: string; readonly name: string } | null
}

export interface Summary {
  readonly today: { readonly tasks: number; readonly paid_s: number }
  readonly projects: readonly { readonly id: string; readonly name: string; readonly medium: string; readonly role: Role; readonly waiting: boolean }[]
}

/** What goes out when it can: it waits on the device until the server has said yes. */
export type Parcel = {
  readonly id: string
  readonly handle: string
  readonly task: string
  readonly role: Role
  readonly title: string
  readonly at: number
  readonly state: 'waiting' | 'refused'
  /** Why the server will not take it. */
  readonly why?: string
} & (
  | { readonly op: 'submit'; readonly body: SubmitBody }
  | { readonly op: 'skip'; readonly body: { readonly reason: SkipReason; readonly comment?: string } }
  /** For the customer; the task stays in hand. */
  | { readonly op: 'question'; readonly body: { readonly text: string } }
  /** Kept by an earlier visit: what it is opens when the server hands out its key. */
  | { readonly op: 'sealed' }
)

/** A draft as kept on the device; `synced` is the last version that the server has confirmed. */
export interface LocalDraft {
  readonly slot: string
  readonly handle: string
  readonly version: number
  readonly synced: number
  readonly body: Draft
  readonly at: number
}

/** A lease that a tab of this browser holds. What is in the task stays with the server. */
export interface LocalLease {
  readonly handle: string
  readonly task: string
  readonly role: Role
  readonly current: boolean
  readonly at: number
}
