// What GET /neutrality and GET /neutrality/days say. null: not shown, too few.
export type Quantile = { p: number; seconds: number }
export type Versus = { difference: number | null; low: number | null; high: number | null; p: number; exact: boolean; assignments: number; detectable: number | null }
export type Share = { tag: string; served: number; entitled: number }
export type Shown = {
  customers: number
  jain: number | null
  largest_lag: number | null
  lag_of_limit: number | null
  waiting: Quantile[] | null
  affiliates_waiting: Quantile[] | null
  others_waiting: Quantile[] | null
  service_test: Versus | null
  waiting_test: Versus | null
}
export type Day = { day: string; work: string; level: number; held_back: number; figures: Shown }
// A day with a line and a share for each customer.
export type Publication = Day & { lines: { tag: string; affiliate: boolean | null }[]; figures: { shares: Share[] } }
// `week`: its Monday. All days of it in one test.
export type Week = { week: string; level: number; rows: number; service_test: Versus | null; waiting_test: Versus | null }
export type Days = { delay_h: number; least: number; days: Day[]; weeks: Week[] }
export type Neutrality = { publications: Publication[] }
