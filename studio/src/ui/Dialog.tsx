import { Dialog as AriaDialog, DialogHeading } from '@ariakit/react/dialog'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Button, buttonClass, type ButtonLook } from './Button'
import { ErrorNote } from './ErrorNote'
import { Icon } from './Icon'
import { t } from './messages'
import './Dialog.css'

export type DialogProps = {
  open: boolean
  onClose: () => void
  title: string
  children: ReactNode
  /** Buttons, the main one last. */
  foot?: ReactNode
  wide?: boolean | undefined
  /** Wraps the body in a form. */
  onSubmit?: ((event: FormEvent<HTMLFormElement>) => void) | undefined
}

export function Dialog({ open, onClose, title, children, foot, wide, onSubmit }: DialogProps) {
  const inside = (
    <>
      <div className="eh-dialog-body" tabIndex={-1}>
        {children}
      </div>
      {foot ? <div className="eh-dialog-foot">{foot}</div> : null}
    </>
  )
  return (
    <AriaDialog open={open} onClose={onClose} backdrop={<div className="eh-backdrop" />} className={wide ? 'eh-dialog eh-dialog-wide' : 'eh-dialog'} unmountOnHide>
      <div className="eh-dialog-head">
        <DialogHeading render={<h2 />}>{title}</DialogHeading>
      </div>
      {onSubmit ? (
        <form
          className="eh-dialog-form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            onSubmit(event)
          }}
        >
          {inside}
        </form>
      ) : (
        inside
      )}
      {/* Last in order, so that the dialog begins with its content; no tooltip, which would take the first Escape. */}
      <button type="button" className={buttonClass('quiet', true, true, 'eh-dialog-close')} aria-label={t('ui.close')} onClick={onClose}>
        <Icon name="close" />
      </button>
    </AriaDialog>
  )
}

/** Asks before something that is hard to take back. `act` may fail: the error stays in sight. */
export function Confirm(props: {
  open: boolean
  onClose: () => void
  title: string
  children: ReactNode
  verb: string
  look?: ButtonLook | undefined
  act: () => Promise<unknown>
}) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = async () => {
    setBusy(true)
    setError(null)
    try {
      await props.act()
      props.onClose()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={props.open}
      onClose={props.onClose}
      title={props.title}
      foot={
        <>
          <Button onClick={props.onClose}>{t('ui.cancel')}</Button>
          <Button look={props.look ?? 'primary'} busy={busy} onClick={() => void run()}>
            {props.verb}
          </Button>
        </>
      }
    >
      {props.children}
      <ErrorNote error={error} />
    </Dialog>
  )
}
