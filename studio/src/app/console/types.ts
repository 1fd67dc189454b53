// What the customer routes of /api/v1 say.
import type { Annotation, Answer, Medium, Ontology, TaskData } from '../../model/types'

export type Counts = { fetching?: number; held: number; open: number; full: number; review: number; done: number; canceled: number; error: number; total: number }
export const roles = ['owner', 'manager', 'viewer', 'annotator', 'reviewer'] as const
export const workerRoles = ['annotator', 'reviewer'] as const
export type Role = (typeof roles)[number]
export type Stage = 'pilot' | 'live'
export type ProjectState = 'active' | 'paused' | 'archived'
export type ReviewPolicy = 'none' | 'all' | 'sample'

export type Project = {
  id: string
  name: string
  medium: Medium
  stage: Stage
  state: ProjectState
  overlap: number
  review: ReviewPolicy
  review_rate: number
  lease_s: number
  ontology: Ontology
  instructions: string
  version: number
  created_at: string
  counts: Counts
}

export type Version = { version: number; at: string; summary: string; instructions: string; ontology: Ontology }

export type ProgressReport = {
  counts: Counts
  series: { t: string; done: number }[]
  per_hour: number
  done_at: string | null
  quality: { accepted: number; reviewed: number; low: number; high: number }
  seconds: { median: number; p90: number; total: number }
  looked: { who: string; at: string; what: string }[]
}

export type Pilot = { stage: Stage; size: number; yours: number; theirs: number; pairs: { task: string; agreement: number | null }[]; agreement: number | null }

export type BatchState = 'staging' | 'in_progress' | 'paused' | 'completed' | 'cancelled'
export type Batch = {
  id: string
  project: string
  name: string
  state: BatchState
  priority: number
  created_at: string
  completed_at: string | null
  counts: Counts
  metadata: Record<string, unknown>
}

export type TaskState = 'fetching' | 'held' | 'open' | 'full' | 'review' | 'done' | 'canceled' | 'error'
export const taskStates: readonly TaskState[] = ['open', 'full', 'review', 'done', 'held', 'fetching', 'error', 'canceled']

export type TaskRow = {
  id: string
  name: string | null
  project: string
  batch: string | null
  state: TaskState
  created_at: string
  completed_at: string | null
  thumb_url: string | null
  excerpt: string | null
  labels: number
  people: number
  flags: ('late' | 'extra' | 'rejected')[]
}

export type TaskAnswer = {
  id: string
  by: string
  annotations: Annotation[]
  submitted_at: string
  seconds: number
  late: boolean
  extra: boolean
  state: 'current' | 'extra' | 'superseded' | 'rejected'
}

export type Decision = 'accept' | 'fix' | 'reject'
export type Review = { id: string; decision: Decision; by: string; at: string; comment: string | null }

export type Task = TaskRow & {
  data: TaskData
  ontology: Ontology
  answers: TaskAnswer[]
  result: Answer | null
  reviews: Review[]
  metadata: Record<string, unknown>
  tags: string[]
  unique_id: string | null
  error?: string | { code?: string; detail?: string } | null
  /** Whose name is laid over text; pictures carry it themselves. */
  viewer?: string
}

export type HistoryItem = { at: string; who: string; what: string; detail: string | Record<string, unknown> | null }
export type Question = { id: string; project: string; task: string | null; question: string; answer: string | null; asked_at: string; answered_at: string | null }
export type Member = { person: string; name: string; email: string; role: Role; state: 'active' | 'invited'; source: 'own' | 'pool'; expires_at?: string | null }
export type Seat = { person: string; name: string; role: 'label' | 'review' }
export type ApiKey = { id: string; name: string; mode: 'live' | 'test'; prefix: string; scopes: ('read' | 'write' | 'manage')[]; created_at: string; expires_at?: string | null }
export type Delivery = { id: string; name: string | null; project?: string; format?: string; task_count: number; at: string; url: string }
export type Callback = {
  id: string
  task: string | null
  url: string
  state: 'waiting' | 'done' | 'failed'
  tries: { at: string; status: number | null; error: string | null }[]
  next_at: string | null
}
export type Asset = { id: string; type: string; size: number; width: number | null; height: number | null; url: string; thumb_url: string; state: 'ready' | 'fetching' | 'error' }
export type List<T> = { items: T[]; next?: string | null; total?: number }

export type GoldTask = { id: string; name: string; purpose: 'evaluation' | 'training'; role: 'label' | 'review'; state: 'fetching' | 'open' | 'closed'; created_at: string; answers: number; mean: number | null }
export type Course = { state: 'open' | 'passed' | 'failed'; cycle: number; score: number | null }
export type Score = { task: string; purpose: 'evaluation' | 'training'; score: number; cycle: number; at: string }
export type Labeler = { person: string; name: string; evaluations: number; mean: number | null; low: number | null; high: number | null; course: Course | null; scores: Score[] }
export type ProjectQuality = { gold_share: number; pass_mark: number; tasks: GoldTask[]; labelers: Labeler[] }
export type SavedView = { name: string; query: string }
