// The message catalogue. A message is a text with {name} places, or plural forms chosen by `count` (Intl.PluralRules).
// English ships now; another language is an object with the same keys, given to `setCatalogue`.
import { accountMessages } from '../app/account/messages'
import { consoleMessages } from '../app/console/messages'
import { directorMessages } from '../app/director/messages'
import { neutralityMessages } from '../app/neutrality/messages'
import { operatorMessages } from '../app/operator/messages'
import { shellMessages } from '../app/shell/messages'
import { signinMessages } from '../app/signin/messages'
import { formsMessages } from '../surfaces/forms/messages'
import { imageMessages } from '../surfaces/image/messages'
import { textMessages } from '../surfaces/text/messages'
import { workspaceMessages } from '../app/workspace/messages'
import { uiMessages } from './uiMessages'

export type Plural = { zero?: string; one?: string; two?: string; few?: string; many?: string; other: string }
export type Message = string | Plural
export type Params = Readonly<Record<string, string | number>>

const english = {
  ...uiMessages,
  ...shellMessages,
  ...signinMessages,
  ...accountMessages,
  ...consoleMessages,
  ...operatorMessages,
  ...directorMessages,
  ...neutralityMessages,
  ...imageMessages,
  ...textMessages,
  ...formsMessages,
  ...workspaceMessages,
}

export type MessageKey = keyof typeof english
export type Catalogue = Record<MessageKey, Message>

let catalogue: Readonly<Record<string, Message>> = english
let locale = 'en'
let plurals = new Intl.PluralRules(locale)
let numbers = new Intl.NumberFormat(locale)

/** Switch language: keys that the other catalogue lacks stay English. */
export function setCatalogue(tag: string, messages: Partial<Catalogue>): void {
  catalogue = { ...english, ...messages }
  locale = tag
  plurals = new Intl.PluralRules(tag)
  numbers = new Intl.NumberFormat(tag)
  memo.clear()
}

export function currentLocale(): string {
  return locale
}

/** The text of `key` with its places filled. Numbers are written in the reader's way. */
export function t(key: MessageKey, params?: Params): string {
  const message = catalogue[key]
  if (message === undefined) return key
  const count = params?.['count']
  const text = typeof message === 'string' ? message : pluralForm(message, typeof count === 'number' ? count : 0)
  if (!params) return text
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name]
    return value === undefined ? whole : typeof value === 'number' ? numbers.format(value) : value
  })
}

function pluralForm(message: Plural, count: number): string {
  if (count === 0 && message.zero !== undefined) return message.zero
  return message[plurals.select(count)] ?? message.other
}

// Intl objects are slow to make and safe to keep.
const memo = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat | Intl.ListFormat>()

function kept<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat | Intl.ListFormat>(key: string, make: () => T): T {
  const found = memo.get(key) as T | undefined
  if (found) return found
  const made = make()
  memo.set(key, made)
  return made
}

export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return kept(`n${JSON.stringify(options)}`, () => new Intl.NumberFormat(locale, options)).format(value)
}

/** `share` is 0..1. */
export function formatPercent(share: number, digits = 0): string {
  return formatNumber(share, { style: 'percent', maximumFractionDigits: digits, minimumFractionDigits: digits })
}

export type DateStyle = 'date' | 'time' | 'datetime' | 'day' | 'full'

const dateOptions: Record<DateStyle, Intl.DateTimeFormatOptions> = {
  date: { year: 'numeric', month: 'short', day: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  datetime: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  day: { weekday: 'short', month: 'short', day: 'numeric' },
  full: { dateStyle: 'full', timeStyle: 'medium', hourCycle: 'h23' },
}

export function formatDate(value: string | number | Date, style: DateStyle = 'datetime'): string {
  const date = new Date(value)
  if (Number.isNaN(date.getTime())) return String(value)
  return kept(`d${style}`, () => new Intl.DateTimeFormat(locale, dateOptions[style])).format(date)
}

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** "3 hours ago", "in 2 days"; older than a week is a date. */
export function formatAgo(value: string | number | Date, now: number = Date.now()): string {
  const seconds = (new Date(value).getTime() - now) / 1000
  if (Number.isNaN(seconds)) return String(value)
  if (seconds < -7 * 86_400) return formatDate(value, 'date')
  const relative = kept('r', () => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
  for (const [unit, size] of steps) {
    if (Math.round(Math.abs(seconds)) >= size || unit === 'second') return relative.format(Math.round(seconds / size), unit)
  }
  return ''
}

/** A length of time: "4.2 s", "3 min 20 s", "5 h 10 min", "12 d 4 h". */
export function formatDuration(seconds: number): string {
  const unit = (value: number, name: string, digits = 0) =>
    formatNumber(value, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: digits })
  if (seconds > 0 && seconds < 0.5) return `<${unit(1, 'second')}`
  if (seconds < 60) return unit(seconds, 'second', seconds < 10 ? 1 : 0)
  const pair = (big: number, bigName: string, small: number, smallName: string) =>
    small > 0 ? `${unit(big, bigName)} ${unit(small, smallName)}` : unit(big, bigName)
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'minute', Math.floor(seconds % 60), 'second')
  if (seconds < 86_400) return pair(Math.floor(seconds / 3600), 'hour', Math.floor((seconds % 3600) / 60), 'minute')
  return pair(Math.floor(seconds / 86_400), 'day', Math.floor((seconds % 86_400) / 3600), 'hour')
}

export function formatBytes(bytes: number): string {
  const names = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  let step = 0
  let value = bytes
  while (value >= 1000 && step < names.length - 1) {
    value /= 1000
    step += 1
  }
  return formatNumber(value, { style: 'unit', unit: names[step] ?? 'byte', unitDisplay: 'short', maximumFractionDigits: step ? 1 : 0 })
}

export function formatList(items: readonly string[]): string {
  return kept('l', () => new Intl.ListFormat(locale, { type: 'conjunction' })).format(items)
}
