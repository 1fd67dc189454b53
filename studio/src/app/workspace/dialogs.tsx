/** What is asked before something happens. */
import { useState } from 'react'
import { AreaField, TextField } from '../../ui/Field'
import { FormDialog } from '../../ui/FormDialog'
import { sendOnEnter } from '../../ui/sendOnEnter'
import type { Desk } from './desk'
import { SKIP_REASONS, type SkipReason } from './types'
import { say } from './phrases'
import { useDesk } from './useStore'
import './dialogs.css'

export function SkipDialog({ open, onClose, onSkip }: { readonly open: boolean; readonly onClose: () => void; readonly onSkip: (reason: SkipReason, comment: string) => void }) {
  const [reason, setReason] = useState<SkipReason>('unclear')
  const [comment, setComment] = useState('')
  const skip = () => {
    onSkip(reason, comment.trim())
    setComment('')
  }
  return (
    <FormDialog open={open} onClose={onClose} title={say('work.skip.title')} verb={say('work.skip.do')} cancel={say('work.close')} act={skip}>
      <p>{say('work.skip.text')}</p>
      <fieldset className="eh-skip-reasons">
        <legend className="eh-sr">{say('work.skip.reason')}</legend>
        {SKIP_REASONS.map((one) => (
          <label key={one}>
            <input type="radio" name="reason" value={one} checked={one === reason} autoFocus={one === 'unclear'} onChange={() => setReason(one)} />
            {say(`work.skip.${one}`)}
          </label>
        ))}
      </fieldset>
      <AreaField label={say('work.skip.comment')} rows={2} value={comment} onText={setComment} onKeyDown={sendOnEnter} />
    </FormDialog>
  )
}

interface AskProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly onAsk: (text: string) => Promise<unknown>
}

export function QuestionDialog({ open, onClose, onAsk }: AskProps) {
  const [text, setText] = useState('')
  const ask = async (): Promise<void> => {
    if (text.trim() === '') return
    await onAsk(text.trim())
    setText('')
    onClose()
  }
  return (
    <FormDialog open={open} onClose={onClose} title={say('work.question.title')} verb={say('work.question.send')} cancel={say('work.close')} act={ask}>
      <p>{say('work.question.text')}</p>
      <AreaField label={say('work.question.label')} value={text} onText={setText} required autoFocus onKeyDown={sendOnEnter} />
    </FormDialog>
  )
}

interface RejectProps {
  /** Keeps the words, so that they are still there after closing the dialog or the page. */
  readonly desk: Desk
  readonly open: boolean
  readonly onClose: () => void
  readonly onReject: (comment: string) => void
}

export function RejectDialog({ desk, open, onClose, onReject }: RejectProps) {
  useDesk(desk)
  const { comment } = desk
  const [asked, setAsked] = useState(false)
  const reject = () => {
    setAsked(comment.trim() === '')
    if (comment.trim() !== '') onReject(comment.trim())
  }
  return (
    <FormDialog open={open} onClose={onClose} title={say('work.review.reject.title')} verb={say('work.review.reject.do')} look="danger" cancel={say('work.close')} act={reject}>
      <p>{say('work.review.reject.text')}</p>
      <AreaField
        label={say('work.review.reject.label')}
        value={comment}
        onText={(text) => desk.setComment(text)}
        required
        autoFocus
        error={asked && comment.trim() === '' ? say('work.review.reject.needed') : null}
        onKeyDown={sendOnEnter}
      />
    </FormDialog>
  )
}

interface SignInProps {
  readonly open: boolean
  readonly email: string
  /** Throws when it does not work. */
  readonly onSignIn: (email: string, password: string) => Promise<void>
}

/** The work behind it stays where it is. */
export function SignInAgain({ open, email, onSignIn }: SignInProps) {
  const [who, setWho] = useState(email)
  const [password, setPassword] = useState('')
  const enter = async (): Promise<void> => {
    await onSignIn(who, password)
    setPassword('')
  }
  return (
    <FormDialog open={open} onClose={() => undefined} title={say('work.signin.title')} verb={say('work.signin.do')} cancel={null} act={enter}>
      <p>{say('work.signin.text')}</p>
      <TextField label={say('work.signin.email')} type="email" autoComplete="username" value={who} onText={setWho} required />
      <TextField label={say('work.signin.password')} type="password" autoComplete="current-password" value={password} onText={setPassword} required autoFocus />
    </FormDialog>
  )
}
