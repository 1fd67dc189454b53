/** The one thin bar on top: task, instructions, time and pay, saving, skip, submit. */
import { Button, IconButton } from '../../ui/Button'
import { Kbd } from '../../ui/Kbd'
import { Menu, MenuItem, MenuLine } from '../../ui/Menu'
import { AccountMenu } from '../shell/AccountMenu'
import type { TaskLoop } from './loop'
import { titleOf, type LoopState } from './loopState'
import { SaveState } from './SaveState'
import { TimePay } from './TimePay'
import { say } from './phrases'
import './TopBar.css'

export interface BarActions {
  readonly submit: () => void
  readonly skip: () => void
  readonly recall: () => void
  readonly question: () => void
  readonly instructions: () => void
  readonly inbox: () => void
  readonly keys: () => void
  readonly undo: () => void
  readonly redo: () => void
  readonly panel: () => void
}

interface Props {
  readonly loop: TaskLoop
  readonly state: LoopState
  readonly mode: 'label' | 'review' | 'pilot'
  readonly actions: BarActions
  readonly news: number
  readonly changed: boolean
  readonly panelOpen: boolean
  readonly openDrawer: 'instructions' | 'inbox' | null
  /** Where this page was opened from. */
  readonly onLeave?: (() => void) | undefined
}

export function TopBar({ loop, state, mode, actions, news, changed, panelOpen, openDrawer, onLeave }: Props) {
  const held = state.current
  const assignment = held?.assignment
  return (
    <header className="eh-bar" aria-label={say('work.bar')}>
      {onLeave ? <IconButton label={say('work.leave')} icon="left" onClick={onLeave} /> : null}
      <div className="eh-bar-task">
        <h1 className="eh-bar-name eh-ellipsis">{assignment ? titleOf(assignment) : say(`work.title.${mode}`)}</h1>
        {assignment ? <span className="eh-bar-project eh-ellipsis">{assignment.project.name}</span> : null}
      </div>
      <SaveState state={state} />
      {assignment ? <TimePay loop={loop} rate={assignment.project.rate} /> : null}
      <div className="eh-bar-tools">
        {assignment ? (
          <Button look="quiet" icon="log" aria-expanded={openDrawer === 'instructions'} className={changed ? 'eh-bar-button eh-bar-changed' : 'eh-bar-button'} onClick={actions.instructions} title={say('work.instructions')}>
            <span className="eh-bar-word">{say('work.instructions')}</span>
          </Button>
        ) : null}
        <IconButton label={news > 0 ? say('work.inbox.count', { count: news }) : say('work.inbox')} icon="chat" aria-expanded={openDrawer === 'inbox'} className={news > 0 ? 'eh-bar-news' : undefined} onClick={actions.inbox} />
        {assignment ? <IconButton label={panelOpen ? say('work.panel.fold') : say('work.panel.unfold')} icon="panel" keys="\" aria-expanded={panelOpen} onClick={actions.panel} /> : null}
        <Menu label={say('work.menu')} button={<IconButton label={say('work.menu')} icon="more" />}>
          <MenuItem icon="undo" keys="Mod+Z" onSelect={actions.undo} disabled={!assignment}>
            {say('work.undo')}
          </MenuItem>
          <MenuItem icon="history" keys="Mod+Shift+Z" onSelect={actions.redo} disabled={!assignment}>
            {say('work.redo')}
          </MenuItem>
          <MenuItem icon="left" keys="Z" onSelect={actions.recall} disabled={!state.last} hint={state.last?.title}>
            {say('work.recall')}
          </MenuItem>
          <MenuLine />
          <MenuItem icon="question" onSelect={actions.question} disabled={!assignment}>
            {say('work.question')}
          </MenuItem>
          <MenuItem icon="menu" keys="?" onSelect={actions.keys}>
            {say('work.keys')}
          </MenuItem>
        </Menu>
      </div>
      {assignment ? (
        <div className="eh-bar-act">
          <Button onClick={actions.skip}>{say('work.skip')}</Button>
          {mode === 'review' ? null : (
            <Button look="primary" onClick={actions.submit} className="eh-bar-submit" aria-keyshortcuts="Control+Enter Meta+Enter">
              {say('work.submit')}
              <Kbd keys="Mod+Enter" />
            </Button>
          )}
        </div>
      ) : null}
      {mode === 'pilot' ? null : <AccountMenu compact />}
    </header>
  )
}
