// Facts of the log in words. A fact without words of its own is shown by its name, taken apart.
import { formatDate, formatDuration, t } from '../../ui/messages'
import { factMessages } from './words/facts'

/** "TaskRequeued" or a text. */
export function factText(what: string): string {
  const key = `console.fact.${what}`
  if (key in factMessages) return t(key as keyof typeof factMessages)
  return /^[A-Z][A-Za-z]+$/.test(what) ? what.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase() : what
}

/** The details of a fact on one line; ids say nothing to a reader and are left out. */
export function detailText(detail: string | Record<string, unknown> | null): string {
  if (detail === null || typeof detail === 'string') return detail ?? ''
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== '' && value !== false && !(Array.isArray(value) && !value.length) && !/^[0-9a-f]{24}$/.test(String(value)))
    .map(([name, value]) => {
      const words = name.replaceAll('_', ' ')
      if (value === true) return words
      if (typeof value === 'number' && name === 'seconds') return formatDuration(value)
      if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) return `${words}: ${formatDate(value)}`
      return `${words}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`
    })
    .join(' · ')
}
