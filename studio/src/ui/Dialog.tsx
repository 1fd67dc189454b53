import { Dialog as AriaDialog, DialogHeading } from '@ariakit/react/dialog'
import type { FormEvent, ReactNode } from 'react'
import { buttonClass } from './Button'
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
  /** Full: as wide as the window allows, for things side by side. */
  wide?: boolean | 'full' | undefined
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
    <AriaDialog open={open} onClose={onClose} backdrop={<div className="eh-backdrop" />} className={['eh-dialog', wide && 'eh-dialog-wide', wide === 'full' && 'eh-dialog-full'].filter(Boolean).join(' ')} unmountOnHide>
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
