/** The parts of the labelling view that stand around bar and panel. */
import type { Clipboard } from '../../surfaces/image/commands'
import type { ImageSurface } from '../../surfaces/image/surface'
import { TOOL_KEYS } from '../../surfaces/image/tools/list'
import { Button } from '../../ui/Button'
import { Skeleton } from '../../ui/Skeleton'
import { toast } from '../../ui/Toast'
import { ViewerMark } from '../../ui/ViewerMark'
import type { Desk } from './desk'
import { QuestionDialog, RejectDialog, SkipDialog } from './dialogs'
import { EmptyQueue } from './EmptyQueue'
import { InboxDrawer } from './InboxDrawer'
import { InstructionsDrawer } from './InstructionsDrawer'
import { KeyboardSheet } from './KeyboardSheet'
import { Lessons } from './Lessons'
import type { TaskLoop } from './loop'
import { titleOf, type LoopState } from './loopState'
import { Notices } from './Notices'
import { Stage } from './Stage'
import type { BarActions } from './TopBar'
import type { SkipReason, Summary } from './types'
import type { useInbox } from './useInbox'
import type { InstructionsState } from './useInstructions'
import { useDesk } from './useStore'
import { say } from './phrases'

export type Mode = 'label' | 'review' | 'pilot'
export type DialogName = 'skip' | 'question' | 'reject' | 'keys' | null
export type DrawerName = 'instructions' | 'inbox' | null

interface Parts {
  readonly loop: TaskLoop
  readonly state: LoopState
  readonly desk: Desk | null
  readonly mode: Mode
  readonly actions: BarActions
  readonly surface: ImageSurface | null
}

/** What has to be said between the bar and the work. */
export function Strips({ loop, state, desk, actions, instructions, onShow }: Parts & { readonly instructions: InstructionsState | null; readonly onShow: () => void }) {
  return (
    <>
      <Notices loop={loop} notices={state.notices} />
      {instructions?.changed ? (
        <div className="eh-work-changed" role="status">
          <span className="eh-grow">{instructions.summary ? say('work.instructions.changed', { summary: instructions.summary }) : say('work.instructions.changed.plain')}</span>
          <Button small onClick={actions.instructions}>
            {say('work.instructions.show')}
          </Button>
        </div>
      ) : null}
      {desk ? <Gaps desk={desk} onShow={onShow} /> : null}
    </>
  )
}

interface MiddleProps extends Parts {
  readonly clipboard: Clipboard
  readonly compareWith: string | null
  readonly summary: Summary | null
  /** Laid over text; pictures come with it. */
  readonly viewer: string
  readonly onSurface: (surface: ImageSurface | null) => void
  readonly onLeave: (() => void) | undefined
}

export function Middle({ loop, state, desk, mode, actions, clipboard, compareWith, summary, viewer, onSurface, onLeave }: MiddleProps) {
  return (
    <main className="eh-stage" aria-label={say('work.stage')}>
      {desk ? (
        <Stage key={desk.held.assignment.handle} desk={desk} clipboard={clipboard} compareWith={compareWith} onSurface={onSurface} />
      ) : state.phase === 'starting' ? (
        <div className="eh-work-empty">
          <Skeleton lines={4} />
          <p className="eh-sr">{say('work.starting')}</p>
        </div>
      ) : (
        <EmptyQueue state={state} summary={summary} pilot={mode === 'pilot' && state.phase === 'empty' && onLeave ? { back: onLeave } : undefined} onRetry={() => void loop.fill()} onRecall={actions.recall} />
      )}
      {desk && viewer && desk.held.assignment.data.medium !== 'image' ? <ViewerMark text={viewer} /> : null}
    </main>
  )
}

interface DrawersProps extends Parts {
  readonly open: DrawerName
  readonly instructions: InstructionsState
  readonly inbox: ReturnType<typeof useInbox>
  readonly onClose: () => void
}

export function Drawers({ loop, state, open, instructions, inbox, onClose }: DrawersProps) {
  const held = state.current
  if (open === 'instructions' && held) return <InstructionsDrawer name={held.assignment.project.name} state={instructions} retry={instructions.retry} onClose={onClose} />
  if (open !== 'inbox') return null
  return (
    <InboxDrawer
      state={inbox}
      seenAt={inbox.seenAt}
      refused={state.refused}
      retry={inbox.load}
      onDrop={(id) => void loop.outbox.discard(id)}
      onClose={() => {
        inbox.forget()
        onClose()
      }}
    />
  )
}

interface DialogsProps extends Parts {
  readonly open: DialogName
  readonly viewer: string
  readonly onClose: () => void
  readonly onReject: (comment: string) => void
}

export function Dialogs({ loop, state, desk, mode, open, viewer, onClose, onReject }: DialogsProps) {
  const held = state.current
  return (
    <>
      <SkipDialog
        open={open === 'skip'}
        onClose={onClose}
        onSkip={(reason: SkipReason, comment) => {
          onClose()
          if (held) toast(say('work.skipped', { name: titleOf(held.assignment) }))
          loop.skip(reason, comment || undefined)
        }}
      />
      <QuestionDialog
        open={open === 'question'}
        onClose={onClose}
        onAsk={async (text) => {
          const outcome = await loop.ask(text)
          // What was refused is told among the notes, with the reason.
          if (outcome !== 'refused') toast(say(`work.question.${outcome}`), outcome === 'sent' ? 'ok' : undefined)
        }}
      />
      {desk ? (
        <RejectDialog
          desk={desk}
          open={open === 'reject'}
          onClose={onClose}
          onReject={(comment) => {
            onClose()
            onReject(comment)
          }}
        />
      ) : null}
      <Lessons loop={loop} lessons={state.lessons} viewer={viewer} />
      <KeyboardSheet open={open === 'keys'} onClose={onClose} desk={desk} review={mode === 'review'} toolKeys={Object.values(TOOL_KEYS).map((key) => key.toUpperCase())} />
    </>
  )
}

export function Gaps({ desk, onShow }: { readonly desk: Desk; readonly onShow: () => void }) {
  useDesk(desk)
  const { missing } = desk
  if (missing.length === 0) return null
  const names = missing.slice(0, 4).map((one) => one.name)
  return (
    <div className="eh-work-gaps" role="alert">
      <span className="eh-grow">{say('work.gaps', { count: missing.length, names: names.join(', ') + (missing.length > 4 ? ', …' : '') })}</span>
      <Button small onClick={onShow}>
        {say('work.gaps.show')}
      </Button>
    </div>
  )
}

/** Says to a screen reader that another task is on the desk. */
export function Announcer({ desk }: { readonly desk: Desk | null }) {
  const assignment = desk?.held.assignment
  return (
    <p className="eh-sr" role="status" aria-live="polite">
      {assignment ? say('work.shown', { name: titleOf(assignment), project: assignment.project.name }) : ''}
    </p>
  )
}
