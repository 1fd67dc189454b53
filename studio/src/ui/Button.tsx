import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'
import { Icon, type IconName } from './Icon'
import { Tooltip } from './Tooltip'
import './Button.css'

export type ButtonLook = 'plain' | 'primary' | 'danger' | 'quiet'

export type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'className'> & {
  look?: ButtonLook | undefined
  small?: boolean | undefined
  icon?: IconName | undefined
  /** At work: shows a spinner and ignores clicks, but keeps its place and focus. */
  busy?: boolean | undefined
  className?: string | undefined
  ref?: Ref<HTMLButtonElement> | undefined
  children?: ReactNode
}

export function buttonClass(look: ButtonLook = 'plain', small = false, iconOnly = false, extra = ''): string {
  return ['eh-button', look !== 'plain' && `eh-button-${look}`, small && 'eh-button-small', iconOnly && 'eh-button-icon', extra].filter(Boolean).join(' ')
}

export function Button({ look, small, icon, busy, className, children, type, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type={type ?? 'button'}
      className={buttonClass(look, small, false, className)}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy ? <span className="eh-button-spin" aria-hidden="true" /> : icon ? <Icon name={icon} /> : null}
      {children}
    </button>
  )
}

/** A button that shows only an icon: `label` is its name and its tooltip. */
export function IconButton({ label, icon, look = 'quiet', small, className, keys, ...rest }: ButtonProps & { label: string; icon: IconName; keys?: string | undefined }) {
  return (
    <Tooltip text={label} keys={keys}>
      <button type="button" className={buttonClass(look, small, true, className)} aria-label={label} {...rest}>
        <Icon name={icon} />
      </button>
    </Tooltip>
  )
}
