// Numbers of a plot: linear scales, and ticks at round values.

export type Scale = { (value: number): number; ticks: number[]; low: number; high: number }

/** Round steps 1, 2, 5 x 10^n; `count` is about how many. */
export function niceStep(span: number, count: number): number {
  const rough = span / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const lead = rough / power
  return (lead > 5 ? 10 : lead > 2 ? 5 : lead > 1 ? 2 : 1) * power
}

export function linear(low: number, high: number, from: number, to: number, count = 5): Scale {
  const span = high - low || 1
  const step = niceStep(span, count)
  const ticks: number[] = []
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) ticks.push(Math.round(value / step) * step)
  return Object.assign((value: number) => from + ((value - low) / span) * (to - from), { ticks, low, high })
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const timeSteps = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 365 * DAY]

/** Ticks on whole minutes, hours or days of the reader's clock. */
export function timeScale(low: number, high: number, from: number, to: number, count = 6): Scale & { step: number } {
  const span = high - low || 1
  const step = timeSteps.find((size) => span / size <= count) ?? 365 * DAY
  const zone = new Date(low).getTimezoneOffset() * MINUTE
  const ticks: number[] = []
  for (let value = Math.ceil((low - zone) / step) * step + zone; value <= high; value += step) ticks.push(value)
  return Object.assign((value: number) => from + ((value - low) / span) * (to - from), { ticks, low, high, step })
}

export const isDaily = (step: number): boolean => step >= DAY

/** Rows of a table as CSV: quoted where needed, and never a formula in a spreadsheet. */
export function toCsv(rows: readonly (readonly (string | number | null)[])[]): string {
  const cell = (value: string | number | null) => {
    if (value === null) return ''
    if (typeof value === 'number') return String(value)
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  return rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'
}
