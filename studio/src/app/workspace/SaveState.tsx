/** One small honest place that says where the work is. */
import { useEffect, useRef, useState } from 'react'
import { Icon } from '../../ui/Icon'
import type { LoopState } from './loopState'
import { say } from './phrases'
import './SaveState.css'

function wordsFor(state: LoopState): string {
  const { save, waiting, signin } = state
  if (save === 'saved') return say('work.save.saved')
  if (save === 'saving') return waiting > 1 ? say('work.save.sending', { count: waiting }) : say('work.save.saving')
  if (save === 'unsafe') return say(state.full ? 'work.save.full' : 'work.save.unsafe')
  if (signin) return say('work.save.signin')
  if (state.reachable) return say('work.save.large')
  return waiting > 0 ? say('work.save.device.waiting', { count: waiting }) : say('work.save.device')
}

export function SaveState({ state }: { readonly state: LoopState }) {
  const words = wordsFor(state)
  const { save } = state
  // "Saving, saved, saving" is not news; losing and finding the server is.
  const [told, setTold] = useState('')
  const before = useRef(save)
  useEffect(() => {
    const quiet = (one: LoopState['save']): boolean => one === 'saved' || one === 'saving'
    if (!quiet(save) || !quiet(before.current)) setTold(words)
    before.current = save
  }, [save, words])
  const icon = save === 'saved' ? 'check' : save === 'saving' ? 'up' : save === 'device' ? 'download' : 'warn'
  return (
    <>
      <span className={`eh-save eh-save-${save}`} data-save={save} title={words}>
        <Icon name={icon} size={14} />
        <span className="eh-save-text">{words}</span>
      </span>
      <span className="eh-sr" role="status" aria-live="polite">
        {told}
      </span>
    </>
  )
}
