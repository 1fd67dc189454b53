// The filter of the task browser lives in the address: a view is a link.
import type { Query } from '../../../ui/api'

export const filterNames = ['q', 'state', 'batch', 'person', 'class', 'tag', 'from', 'to', 'order'] as const
export type FilterName = (typeof filterNames)[number]
export type Filter = Partial<Record<FilterName, string>>

export function filterOf(query: URLSearchParams): Filter {
  const filter: Filter = {}
  for (const name of filterNames) {
    const value = query.get(name)
    if (value) filter[name] = value
  }
  return filter
}

/** For GET /tasks. Days become whole days of the reader's clock. */
export function apiFilter(filter: Filter, project: string): Query {
  return { project, ...filter, from: dayStart(filter.from), to: dayEnd(filter.to) }
}

export function dayStart(day: string | undefined): string | undefined {
  return stamp(day, 'T00:00:00.000')
}

export function dayEnd(day: string | undefined): string | undefined {
  return stamp(day, 'T23:59:59.999')
}

function stamp(day: string | undefined, time: string): string | undefined {
  if (!day) return undefined
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(day) ? day + time : day)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

export function isFiltered(filter: Filter): boolean {
  return filterNames.some((name) => name !== 'order' && filter[name])
}
