/** The seconds that are counted, in sight, and what they are worth. */
import { useEffect, useState } from 'react'
import { formatNumber } from '../../ui/messages'
import { Icon } from '../../ui/Icon'
import type { TaskLoop } from './loop'
import type { Assignment, Rate } from './types'
import { say } from './phrases'

export function clockText(seconds: number): string {
  const whole = Math.floor(seconds)
  const two = (n: number): string => String(n).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}

function readRate(rate: Assignment['project']['rate']): Rate | null {
  if (rate === undefined || rate === null) return null
  if (typeof rate === 'string') return parseRate(rate)
  if (typeof rate === 'number') return { amount: rate, currency: '', per: 'hour' }
  return typeof rate.amount === 'number' ? rate : null
}

const SIGNS: Readonly<Record<string, string>> = { '€': 'EUR', $: 'USD', '£': 'GBP' }

/** "18.50 EUR/h", "EUR 18 per hour", "€0.40 a task". Null when it is something else, which is then shown as it stands. */
export function parseRate(text: string): Rate | null {
  const amount = /\d+(?:[.,]\d+)?/.exec(text)?.[0]
  const currency = /\b[A-Z]{3}\b/.exec(text)?.[0] ?? SIGNS[/[€$£]/.exec(text)?.[0] ?? '']
  const per = /(?:\/|per|an?)\s*(hour|hr|h|task)\b/i.exec(text)?.[1]?.toLowerCase()
  if (amount === undefined || currency === undefined || per === undefined) return null
  return { amount: Number(amount.replace(',', '.')), currency, per: per === 'task' ? 'task' : 'hour' }
}

function money(amount: number, currency: string): string {
  if (!/^[A-Z]{3}$/.test(currency)) return formatNumber(amount, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  return formatNumber(amount, { style: 'currency', currency })
}

function perOf(rate: Rate): 'hour' | 'task' {
  return rate.per === 'task' ? 'task' : 'hour'
}

export function payText(rate: Rate, seconds: number): string {
  return money(perOf(rate) === 'task' ? rate.amount : (rate.amount * seconds) / 3600, rate.currency)
}

export function TimePay({ loop, rate }: { readonly loop: TaskLoop; readonly rate: Assignment['project']['rate'] }) {
  const [now, setNow] = useState({ seconds: 0, running: true })
  useEffect(() => {
    const read = (): void => setNow({ seconds: loop.clock.read(), running: loop.clock.running })
    read()
    const timer = setInterval(read, 1000)
    return () => clearInterval(timer)
  }, [loop])
  const known = readRate(rate)
  const named = known ? say('work.rate', { amount: money(known.amount, known.currency), per: say(`work.per.${perOf(known)}`) }) : typeof rate === 'string' ? rate : null
  return (
    <span className="eh-time">
      <span className={now.running ? 'eh-time-clock' : 'eh-time-clock eh-time-paused'} role="timer" aria-label={say('work.time')} title={now.running ? say('work.time') : say('work.time.paused')}>
        <Icon name={now.running ? 'clock' : 'pause'} size={14} />
        {clockText(now.seconds)}
      </span>
      {named ? (
        <span className="eh-time-pay" title={say('work.pay', { rate: named })}>
          {known ? payText(known, now.seconds) : named}
        </span>
      ) : null}
    </span>
  )
}
