export type Hold = { project: string; reason: string; since: string }
export type Retention = { done_days: number | null; ended_days: number | null }
export type Deletion = {
  id: string
  project: string
  reason: 'project' | 'organisation' | 'retention'
  state: 'running' | 'held' | 'done'
  tasks: number
  answers: number
  files: number
  bytes: number
  asked_at: string
  ended_at: string | null
  certificate: string
}
export type DataView = { project: string; holds: Hold[]; retention: Retention; deletions: Deletion[] }
export type Parting = { organisation: string; mode: 'live' | 'test'; deletion: Deletion; receipt: string }
export type Media = { watermark: 'off' | 'people' | 'all' }

/** Often while something goes, seldom otherwise: each look at what is kept is an event of the log. */
export function pollOf(data: DataView | undefined): number {
  return data?.deletions.some((one) => one.state === 'running') ? 3_000 : 60_000
}
