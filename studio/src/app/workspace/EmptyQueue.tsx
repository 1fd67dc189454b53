/** Why there is nothing to do, and when there may be. */
import { useEffect, useState } from 'react'
import { Button } from '../../ui/Button'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNote } from '../../ui/ErrorNote'
import { formatDuration } from '../../ui/messages'
import type { LoopState } from './loopState'
import type { EmptyReason, Summary } from './types'
import { say } from './phrases'

const REASONS: readonly EmptyReason[] = ['nothing_open', 'all_taken', 'no_seat', 'done_by_you', 'paused', 'course', 'kept_off']

interface Props {
  readonly state: LoopState
  readonly summary: Summary | null
  readonly pilot?: { readonly back: () => void } | undefined
  readonly onRetry: () => void
  readonly onRecall: () => void
}

export function EmptyQueue({ state, summary, pilot, onRetry, onRecall }: Props) {
  if (state.phase === 'trouble') {
    return (
      <div className="eh-work-empty">
        <div className="eh-stack">
          <h2>{say('work.trouble')}</h2>
          <p>{say('work.trouble.text')}</p>
          <ErrorNote error={state.trouble} retry={onRetry} />
          <Countdown at={state.retryAt} />
        </div>
      </div>
    )
  }
  const { empty } = state
  const today = summary && summary.today.tasks > 0 ? say('work.today', { count: summary.today.tasks, time: formatDuration(summary.today.paid_s) }) : null
  if (pilot) {
    return (
      <div className="eh-work-empty">
        <EmptyState
          icon="check"
          title={say('work.empty.pilot')}
          text={say('work.empty.pilot.text')}
          action={
            <Button look="primary" onClick={pilot.back}>
              {say('work.empty.pilot.back')}
            </Button>
          }
        />
      </div>
    )
  }
  return (
    <div className="eh-work-empty">
      <EmptyState
        icon="clock"
        title={say(`work.empty.${empty && REASONS.includes(empty.reason) ? empty.reason : 'nothing_open'}`)}
        text={
          <>
            {empty?.text ? <p>{empty.text}</p> : null}
            {today ? <p>{today}</p> : null}
            <Countdown at={state.retryAt} />
          </>
        }
        action={
          <div className="eh-row">
            <Button look="primary" onClick={onRetry}>
              {say('work.empty.now')}
            </Button>
            {state.last ? <Button onClick={onRecall}>{say('work.empty.last')}</Button> : null}
          </div>
        }
      />
    </div>
  )
}

function Countdown({ at }: { readonly at: number | null }) {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (at === null) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [at])
  if (at === null) return null
  return <p className="eh-muted">{say('work.empty.retry', { time: formatDuration(Math.max(1, Math.round((at - now) / 1000))) })}</p>
}
