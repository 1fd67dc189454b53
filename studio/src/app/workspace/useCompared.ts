import { useMemo } from 'react'
import type { Other } from '../../surfaces/forms/compare'
import type { Desk } from './desk'
import { useDesk } from './useStore'
import { say } from './phrases'

/** Comparing with what the answer was before the reviewer changed it. */
export const GIVEN = 'given'

/** The answer beside the one on the desk, where one was chosen. */
export function useCompared(desk: Desk, id: string | null): Other | null {
  useDesk(desk)
  const { which, given } = desk
  return useMemo(() => {
    if (id === GIVEN) return { who: say('work.review.given'), annotations: given }
    const found = id === which ? undefined : desk.answers.find((one) => one.id === id)
    return found ? { who: found.by, annotations: found.annotations } : null
  }, [desk, id, which, given])
}

/** What can be compared with: the other answers, and the answer as it was given once it was changed. */
export function comparable(desk: Desk): readonly string[] {
  return [...desk.answers.filter((one) => one.id !== desk.which).map((one) => one.id), ...(desk.answers.length && desk.changed ? [GIVEN] : [])]
}

/** One key goes through them all, and back to none. */
export function nextToCompare(desk: Desk, now: string | null): string | null {
  const all = comparable(desk)
  return all[now === null ? 0 : all.indexOf(now) + 1] ?? null
}
