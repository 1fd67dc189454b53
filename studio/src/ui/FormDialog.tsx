import { useEffect, useRef, useState, type ReactNode } from 'react'
import { Button, type ButtonLook } from './Button'
import { Dialog } from './Dialog'
import { ErrorNote } from './ErrorNote'
import { t } from './messages'

export type FormDialogProps = {
  open: boolean
  onClose: () => void
  title: string
  children: ReactNode
  /** What the main button says, and how it looks. */
  verb: string
  look?: ButtonLook | undefined
  /** Does it, by the main button or Enter. When it fails, the dialog stays, with what was typed and with the error. */
  act: () => unknown
  /** Something is still missing: the main button waits. */
  ready?: boolean | undefined
  /** The other button; null: there is no way around. */
  cancel?: string | null | undefined
  /** What was made, shown in place of the form, with the one button that is left. */
  made?: { content: ReactNode; verb?: string } | null | undefined
  wide?: boolean | undefined
}

/** A dialog that asks and then does: everything about waiting, failing and trying again is here, once. */
export function FormDialog({ open, onClose, title, children, verb, look = 'primary', act, ready = true, cancel, made, wide }: FormDialogProps) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  // Enter and a click may come before the next drawing: state would still say that nothing is on its way.
  const running = useRef(false)
  useEffect(() => {
    if (open) setError(null)
  }, [open])
  const run = async () => {
    if (made) return onClose()
    if (running.current || !ready) return
    running.current = true
    setBusy(true)
    setError(null)
    try {
      await act()
    } catch (caught) {
      setError(caught)
    } finally {
      running.current = false
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      wide={wide}
      onSubmit={() => void run()}
      foot={
        <>
          {made || cancel === null ? null : <Button onClick={onClose}>{cancel ?? t('ui.cancel')}</Button>}
          <Button type="submit" look={made ? 'primary' : look} busy={busy} disabled={!made && !ready}>
            {made ? (made.verb ?? t('ui.close')) : verb}
          </Button>
        </>
      }
    >
      {made ? made.content : children}
      <ErrorNote error={error} />
    </Dialog>
  )
}

/** Asks before something that is hard to take back, and closes when it is done. */
export function Confirm({ act, ...rest }: Omit<FormDialogProps, 'ready' | 'made' | 'cancel' | 'act'> & { act: () => Promise<unknown> }) {
  return (
    <FormDialog
      {...rest}
      act={async () => {
        await act()
        rest.onClose()
      }}
    />
  )
}
