// Looks of one person that follow each other are one line: a page that is open asks again and again, and each time is an event.
import type { TrustEvent } from './types'

/** `first`: the counter of the oldest event in the line; `looks`: the routes asked, newest first. */
export type Line = TrustEvent & { first: number | null; looks: { asked: string; times: number }[] }

const quietMs = 10 * 60_000

/** Events are newest first, and so are the lines; a line has the time and counter of its newest event and the id of its oldest. */
export function gathered(events: readonly TrustEvent[]): Line[] {
  const lines: Line[] = []
  let oldest = 0
  for (const event of events) {
    const asked = event.what === 'ContentShown' ? event.detail['asked'] : undefined
    const at = Date.parse(event.at)
    const last = lines.at(-1)
    if (last?.looks.length && typeof asked === 'string' && last.who === event.who && oldest - at < quietMs) {
      lines[lines.length - 1] = joined(last, event, asked)
    } else {
      lines.push({ ...event, first: event.counter, looks: typeof asked === 'string' ? [{ asked, times: 1 }] : [] })
    }
    oldest = at
  }
  return lines
}

function joined(line: Line, event: TrustEvent, asked: string): Line {
  const known = line.looks.some((look) => look.asked === asked)
  const looks = known ? line.looks.map((look) => (look.asked === asked ? { asked, times: look.times + 1 } : look)) : [...line.looks, { asked, times: 1 }]
  return { ...line, id: event.id, about: line.about === event.about ? line.about : null, counter: line.counter ?? event.counter, first: event.counter ?? line.first, looks }
}
