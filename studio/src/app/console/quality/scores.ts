// What can be read from the scores of everybody, without asking again.
import type { Labeler } from '../types'

/** How many take the course, and how it went for them. */
export function passing(labelers: readonly Labeler[]): { of: number; passed: number; failed: number } {
  const states = labelers.flatMap((one) => (one.course ? [one.course.state] : []))
  return { of: states.length, passed: states.filter((state) => state === 'passed').length, failed: states.filter((state) => state === 'failed').length }
}

/** The mean over all answers to evaluation tasks, each counted once; null when there are none. */
export function spread(labelers: readonly Labeler[]): { mean: number; n: number } | null {
  const scored = labelers.filter((one) => one.mean !== null)
  const n = scored.reduce((sum, one) => sum + one.evaluations, 0)
  return n ? { mean: scored.reduce((sum, one) => sum + (one.mean ?? 0) * one.evaluations, 0) / n, n } : null
}

/** Whom to look at first: who waits for a decision, then the lowest upper end of the interval, then those not tested. */
export function byNeed(labelers: readonly Labeler[]): Labeler[] {
  const rank = (one: Labeler): number => (one.course?.state === 'failed' ? -1 : (one.high ?? 2))
  return [...labelers].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
}
