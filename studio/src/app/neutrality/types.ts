// What GET /neutrality says. null: not shown, too few.
export type Quantile = { p: number; seconds: number }
export type Versus = { difference: number | null; low: number | null; high: number | null; p: number; exact: boolean; assignments: number; detectable: number | null }
export type Share = { tag: string; served: number; entitled: number }
export type Shown = {
  customers: number
  shares: Share[]
  jain: number | null
  largest_lag: number | null
  lag_of_limit: number | null
  waiting: Quantile[] | null
  affiliates_waiting: Quantile[] | null
  others_waiting: Quantile[] | null
  service_test: Versus | null
  waiting_test: Versus | null
}
export type Publication = { day: string; work: string; least: number; level: number; power: number; held_back: number; lines: { tag: string; affiliate: boolean | null }[]; figures: Shown }
// `week`: its Monday. All days of it in one test.
export type Week = { week: string; level: number; rows: number; service_test: Versus | null; waiting_test: Versus | null }
export type Neutrality = { delay_h: number; least: number; publications: Publication[]; weeks: Week[] }
