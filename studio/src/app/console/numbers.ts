// Words and looks for states and counts, in one place.
import type { BadgeLook } from '../../ui/Badge'
import { formatAgo, formatNumber, formatPercent, t } from '../../ui/messages'
import type { BatchState, Counts, ProgressReport, ProjectState, TaskState } from './types'

export const stateLook: Record<TaskState, BadgeLook> = { fetching: 'plain', open: 'plain', full: 'accent', review: 'warn', done: 'ok', held: 'plain', error: 'danger', canceled: 'plain' }
export const batchLook: Record<BatchState, BadgeLook> = { staging: 'plain', in_progress: 'accent', paused: 'warn', completed: 'ok', cancelled: 'plain' }
export const projectLook: Record<ProjectState, BadgeLook> = { active: 'ok', paused: 'warn', archived: 'plain' }

/** What counts as the whole: cancelled tasks will never be done. */
export function wanted(counts: Counts): number {
  return counts.total - counts.canceled
}

export function doneShare(counts: Counts): number {
  const whole = wanted(counts)
  return whole > 0 ? counts.done / whole : 0
}

/** Never "100 %" before the last one, never "0 %" after the first. */
export function honestPercent(share: number): string {
  if (share > 0 && share < 0.01) return t('console.less-than-1')
  if (share < 1 && share > 0.99) return t('console.more-than-99')
  return formatPercent(share)
}

/** "94 % (91-96 %)" of reviewed work; null when nothing was reviewed. */
export function qualityText(quality: ProgressReport['quality']): { main: string; range: string } | null {
  if (!quality.reviewed) return null
  return {
    main: formatPercent(quality.accepted / quality.reviewed),
    range: t('console.quality.range', { low: formatPercent(quality.low), high: formatPercent(quality.high) }),
  }
}

export function whenDone(report: ProgressReport): string {
  const left = wanted(report.counts) - report.counts.done
  if (report.counts.total === 0) return t('console.when.empty')
  if (left <= 0) return t('console.when.done')
  if (!report.done_at) return t('console.when.unknown')
  return formatAgo(report.done_at)
}

export function compact(value: number): string {
  return value < 100_000 ? formatNumber(value) : formatNumber(value, { notation: 'compact', maximumFractionDigits: 1 })
}
