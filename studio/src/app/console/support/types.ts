// What the routes of access say. The operator's people have names, workers of the pool their pseudonym.
export type Grant = {
  id: string
  kind: 'support' | 'break_glass'
  staff: string
  second: string | null
  project: string | null
  reason: string
  from_at: string
  until_at: string
  ended_at: string | null
  live: boolean
  uses: number
}
export type Support = { staff: { id: string; name: string }[]; grants: Grant[] }
export type Wall = { id: string; name: string; kind: 'customer' | 'group'; cool_off_days: number; created_at: string }
export type Leaver = { person: string; name: string; at: string; tasks: number; files: number; grants: number; exports: number }
export type Contract = { version: number; price_class: string; weight: number; hour_cents: number; currency: string; capacity_h: number | null; support: string; from_at: string; until_at: string | null }
export type Contracts = { now: Contract; versions: Contract[] }
export type SeenReport = { name: string; tasks: number; files: number; grants: number; exports: number; seen: { at: string; what: string; about: string; detail: string }[] }
