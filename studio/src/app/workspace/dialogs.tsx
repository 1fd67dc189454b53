/** What is asked before something happens. */
import { useState } from 'react'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { ErrorNote } from '../../ui/ErrorNote'
import { AreaField, TextField } from '../../ui/Field'
import type { Desk } from './desk'
import { SKIP_REASONS, type SkipReason } from './types'
import { say } from './phrases'
import { useDesk } from './useStore'
import './dialogs.css'

export function SkipDialog({ open, onClose, onSkip }: { readonly open: boolean; readonly onClose: () => void; readonly onSkip: (reason: SkipReason, comment: string) => void }) {
  const [reason, setReason] = useState<SkipReason>('unclear')
  const [comment, setComment] = useState('')
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={say('work.skip.title')}
      onSubmit={() => {
        onSkip(reason, comment.trim())
        setComment('')
      }}
      foot={
        <>
          <Button onClick={onClose}>{say('work.close')}</Button>
          <Button type="submit" look="primary">
            {say('work.skip.do')}
          </Button>
        </>
      }
    >
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
      <AreaField label={say('work.skip.comment')} rows={2} value={comment} onText={setComment} />
    </Dialog>
  )
}

interface AskProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly onAsk: (text: string) => Promise<unknown>
}

export function QuestionDialog({ open, onClose, onAsk }: AskProps) {
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const ask = async (): Promise<void> => {
    if (text.trim() === '') return
    setBusy(true)
    setError(null)
    try {
      await onAsk(text.trim())
      setText('')
      onClose()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={say('work.question.title')}
      onSubmit={() => void ask()}
      foot={
        <>
          <Button onClick={onClose}>{say('work.close')}</Button>
          <Button type="submit" look="primary" busy={busy}>
            {say('work.question.send')}
          </Button>
        </>
      }
    >
      <p>{say('work.question.text')}</p>
      <AreaField label={say('work.question.label')} value={text} onText={setText} required autoFocus />
      <ErrorNote error={error} />
    </Dialog>
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
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={say('work.review.reject.title')}
      onSubmit={() => {
        if (comment.trim() === '') return setAsked(true)
        onReject(comment.trim())
        setAsked(false)
      }}
      foot={
        <>
          <Button onClick={onClose}>{say('work.close')}</Button>
          <Button type="submit" look="danger">
            {say('work.review.reject.do')}
          </Button>
        </>
      }
    >
      <p>{say('work.review.reject.text')}</p>
      <AreaField
        label={say('work.review.reject.label')}
        value={comment}
        onText={(text) => desk.setComment(text)}
        required
        autoFocus
        error={asked && comment.trim() === '' ? say('work.review.reject.needed') : null}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit()
        }}
      />
    </Dialog>
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
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const enter = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    try {
      await onSignIn(who, password)
      setPassword('')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={() => undefined}
      title={say('work.signin.title')}
      onSubmit={() => void enter()}
      foot={
        <Button type="submit" look="primary" busy={busy}>
          {say('work.signin.do')}
        </Button>
      }
    >
      <p>{say('work.signin.text')}</p>
      <TextField label={say('work.signin.email')} type="email" autoComplete="username" value={who} onText={setWho} required />
      <TextField label={say('work.signin.password')} type="password" autoComplete="current-password" value={password} onText={setPassword} required autoFocus />
      <ErrorNote error={error} />
    </Dialog>
  )
}
