/** The labelling view: bar, stage, panel, drawers, and the keys that belong to all of them. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { emptyClipboard, type Clipboard } from '../../surfaces/image/commands'
import type { ImageSurface } from '../../surfaces/image/surface'
import { toast } from '../../ui/Toast'
import { useTitle } from '../shell/useTitle'
import { Desk } from './desk'
import { Details } from './Details'
import { goTo } from './goTo'
import type { TaskLoop } from './loop'
import { type Held } from './loopState'
import { Announcer, Dialogs, Drawers, Middle, Strips, type DialogName, type DrawerName, type Mode } from './parts'
import { ReviewBar } from './ReviewBar'
import type { Storage } from './storage'
import { TopBar, type BarActions } from './TopBar'
import type { Verdict } from './types'
import { useInbox } from './useInbox'
import { useInstructions, type InstructionsState } from './useInstructions'
import { nextToCompare } from './useCompared'
import { useLoop } from './useStore'
import { useWorkKeys } from './useWorkKeys'
import { useWorld } from './useWorld'
import { say } from './phrases'
import './Workbench.css'

interface Props {
  readonly loop: TaskLoop
  readonly storage: Storage
  readonly mode: Mode
  readonly onLeave?: (() => void) | undefined
}

export function Workbench({ loop, storage, mode, onLeave }: Props) {
  const state = useLoop(loop)
  const held = state.current
  const desk = useMemo(
    () => (held ? new Desk(held, (marks, annotations, review) => loop.edit(marks, annotations, held.assignment.handle, review)) : null),
    // A lost lease makes another `held` of the same task: the desk stays.
    [loop, held?.assignment.handle, held?.draft],
  )
  useEffect(() => () => desk?.dispose(), [desk])
  const deskNow = useRef(desk)
  deskNow.current = desk
  const [surface, setSurface] = useState<ImageSurface | null>(null)
  const [open, setOpen] = useState<DialogName>(null)
  const [drawer, setDrawer] = useState<DrawerName>(null)
  const [panel, setPanel] = usePanel(held !== null && plainForm(held))
  const narrow = useNarrow()
  const [compareWith, setCompareWith] = useState<string | null>(null)
  const clipboard = useClipboard(held?.assignment.project.id)
  const inbox = useInbox(storage, state.done)
  const instructions = useInstructions(held?.assignment ?? null, storage)
  const viewer = instructions.instructions?.viewer ?? ''
  useWorld(loop, deskNow)
  useTitle(say(`work.title.${mode}`))
  useEffect(() => setCompareWith(null), [desk])
  useFirstSight(instructions, () => mode !== 'pilot' && setDrawer('instructions'))

  const send = useCallback(
    (verdict?: Verdict): void => {
      const now = deskNow.current
      if (!now?.document) return
      if (verdict?.decision !== 'reject' && !now.check()) {
        goTo(now, surface)
        return
      }
      now.flush()
      loop.submit(now.answer(), verdict)
    },
    [loop, surface],
  )
  const verdict = (decision: Verdict['decision'], comment?: string): void => {
    const which = deskNow.current?.which
    send({ decision, ...(comment ? { comment } : {}), ...(which ? { answer_id: which } : {}) })
  }
  const actions = useActions({ loop, desk: deskNow, send, setOpen, setDrawer, setPanel, instructions, inbox })
  useWorkKeys({
    desk: deskNow,
    review: mode === 'review',
    enabled: open === null && !state.signin && state.lessons.length === 0,
    actions,
    accept: () => verdict('accept'),
    fix: () => deskNow.current?.changed && verdict('fix'),
    reject: () => setOpen('reject'),
    compare: () => setCompareWith((now) => (deskNow.current ? nextToCompare(deskNow.current, now) : null)),
    closeDrawer: () => {
      if (drawer === null) return false
      setDrawer(null)
      return true
    },
  })
  const parts = { loop, state, desk, mode, actions, surface }
  return (
    <div className="eh-work" data-mode={mode}>
      <TopBar loop={loop} state={state} mode={mode} actions={actions} news={inbox.news + state.refused.length} changed={instructions.changed} panelOpen={panel} openDrawer={drawer} onLeave={onLeave} />
      {mode === 'review' && desk ? (
        <ReviewBar desk={desk} compareWith={compareWith} onCompare={setCompareWith} onAccept={() => verdict('accept')} onFix={() => verdict('fix')} onReject={() => setOpen('reject')} />
      ) : null}
      <Strips {...parts} instructions={drawer === 'instructions' ? null : instructions} onShow={() => desk && goTo(desk, surface)} />
      <div className="eh-work-body">
        <Middle {...parts} clipboard={clipboard} compareWith={compareWith} summary={inbox.summary} viewer={viewer} onSurface={setSurface} onLeave={onLeave} />
        {desk && panel && (drawer === null || narrow) ? (
          <aside className="eh-work-panel" aria-label={say('work.panel')}>
            <Details desk={desk} surface={surface} compareWith={compareWith} />
          </aside>
        ) : null}
        <Drawers {...parts} open={drawer} instructions={instructions} inbox={inbox} onClose={() => setDrawer(null)} />
      </div>
      <Announcer desk={desk} />
      <Dialogs {...parts} open={open} viewer={viewer} onClose={() => setOpen(null)} onReject={(comment) => verdict('reject', comment)} />
    </div>
  )
}

/** Nobody should label for a project without having been shown what it wants. */
function useFirstSight(state: InstructionsState, show: () => void): void {
  const { fresh, instructions } = state
  useEffect(() => {
    if (!fresh || instructions === null) return
    if (instructions.markdown.trim()) show()
    state.seen()
  }, [fresh, instructions])
}

interface ActionSources {
  readonly loop: TaskLoop
  readonly desk: { readonly current: Desk | null }
  readonly send: () => void
  readonly setOpen: (open: DialogName) => void
  readonly setDrawer: (change: (drawer: DrawerName) => DrawerName) => void
  readonly setPanel: (change: (open: boolean) => boolean) => void
  readonly instructions: { seen(): void }
  readonly inbox: { seen(): unknown }
}

function useActions({ loop, desk, send, setOpen, setDrawer, setPanel, instructions, inbox }: ActionSources): BarActions {
  return {
    submit: () => send(),
    skip: () => setOpen('skip'),
    recall: () => {
      desk.current?.flush()
      const name = loop.state.last?.title ?? ''
      void loop.recall().then((back) => back && toast(say('work.recalled', { name }), 'ok'))
    },
    question: () => setOpen('question'),
    instructions: () => {
      instructions.seen()
      setDrawer((drawer) => (drawer === 'instructions' ? null : 'instructions'))
    },
    inbox: () => {
      inbox.seen()
      setDrawer((drawer) => (drawer === 'inbox' ? null : 'inbox'))
    },
    keys: () => setOpen('keys'),
    undo: () => void desk.current?.document?.undo(),
    redo: () => void desk.current?.document?.redo(),
    panel: () => setPanel((open) => !open),
  }
}

/** All that is asked stands on the stage: the panel has nothing to add but the history. */
function plainForm({ assignment }: Held): boolean {
  const { data, message, instructions } = assignment
  return (data.medium === 'conversation' || data.medium === 'none') && !message && !instructions && !data.context && !data.references?.length
}

const PANEL = 'evenhand.work.panel'

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Folded or not is remembered, apart for tasks where it has little to show. */
function usePanel(spare: boolean): [boolean, (change: (open: boolean) => boolean) => void] {
  const key = spare ? `${PANEL}.form` : PANEL
  const [chosen, setChosen] = useState<Readonly<Record<string, string>>>({})
  const open = (chosen[key] ?? remembered(key) ?? (spare ? 'closed' : 'open')) === 'open'
  const change = (next: (open: boolean) => boolean): void => {
    const after = next(open) ? 'open' : 'closed'
    setChosen((before) => ({ ...before, [key]: after }))
    try {
      localStorage.setItem(key, after)
    } catch {
      // It is only forgotten.
    }
  }
  return [open, change]
}

const NARROW = '(max-width: 900px)'

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches)
  useEffect(() => {
    const query = matchMedia(NARROW)
    const change = (): void => setNarrow(query.matches)
    query.addEventListener('change', change)
    return () => query.removeEventListener('change', change)
  }, [])
  return narrow
}

/** Shapes may be pasted from task to task of one project, and never into another. */
function useClipboard(project: string | undefined): Clipboard {
  return useMemo(() => emptyClipboard(), [project])
}
