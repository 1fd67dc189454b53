// Facts of the log in words. A fact without words of its own is shown by its name, taken apart.
import { formatDate, formatDuration, formatList, formatNumber, t } from '../../ui/messages'
import { factMessages } from './words/facts'
import { lookMessages } from './words/looks'

/** "TaskRequeued" or a text. */
export function factText(what: string): string {
  const key = `console.fact.${what}`
  if (key in factMessages) return t(key as keyof typeof factMessages)
  return /^[A-Z][A-Za-z]+$/.test(what) ? what.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase() : what
}

/** Ids, digests, seeds and signatures: they say nothing to a reader, and stand in the evidence. */
const opaque = /^[0-9a-f]{24}$|^(org-)?[0-9a-f]{24,}$|^[\w+/=-]{40,}$/

/** The scheduler's and the processes' own numbers: who checks them reads the evidence. */
const inner: ReadonlySet<string> = new Set(['flow', 'weight', 'limit', 'process'])

/** The details of a fact on one line, without what only a program reads. */
export function detailText(detail: string | Record<string, unknown> | null): string {
  if (detail === null || typeof detail === 'string') return detail ?? ''
  return Object.entries(detail)
    .filter(([name, value]) => !inner.has(name) && value !== null && value !== '' && value !== false && !(Array.isArray(value) && !value.length) && !opaque.test(String(value)))
    .map(([name, value]) => {
      const words = name.replaceAll('_', ' ')
      if (value === true) return words
      if (typeof value === 'number' && name === 'seconds') return formatDuration(value)
      if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) return `${words}: ${formatDate(value)}`
      if (Array.isArray(value) && value.every((one) => opaque.test(String(one)))) return `${words}: ${formatNumber(value.length)}`
      return `${words}: ${plain(value)}`
    })
    .join(' · ')
}

/** A list or a table of counts as somebody would write it. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return formatList(value.map(plain))
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, one]) => `${name} (${plain(one)})`)
    .join(', ')
}

/** What was looked at, from the routes that were asked: "projects, tasks (3 times)". */
export function looksText(looks: readonly { asked: string; times: number }[]): string {
  const words = new Map<string, number>()
  for (const { asked, times } of looks) words.set(lookText(asked), (words.get(lookText(asked)) ?? 0) + times)
  return formatList([...words].map(([what, times]) => (times > 1 ? t('console.look.times', { what, count: times }) : what)))
}

function lookText(asked: string): string {
  const key = `console.look.${asked}`
  if (key in lookMessages) return t(key as keyof typeof lookMessages)
  return t(/^v[12] /.test(asked) ? 'console.look.compatible' : 'console.look.reply', { asked })
}
