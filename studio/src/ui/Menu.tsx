import { Menu as AriaMenu, MenuButton, MenuGroup, MenuGroupLabel, MenuItem as AriaMenuItem, MenuItemRadio, MenuProvider, MenuSeparator } from '@ariakit/react/menu'
import type { ReactElement, ReactNode } from 'react'
import { Icon, type IconName } from './Icon'
import { Kbd } from './Kbd'
import './Menu.css'

/** A button that opens a menu. `button` is the element to press; give it a name. */
export function Menu({ button, children, label }: { button: ReactElement; children: ReactNode; label?: string | undefined }) {
  return (
    <MenuProvider placement="bottom-end">
      <MenuButton render={button} />
      <AriaMenu className="eh-menu" gutter={4} fixed unmountOnHide {...(label ? { 'aria-label': label } : {})}>
        {children}
      </AriaMenu>
    </MenuProvider>
  )
}

export type MenuItemProps = {
  onSelect: () => void
  children: ReactNode
  icon?: IconName | undefined
  hint?: string | undefined
  keys?: string | undefined
  danger?: boolean | undefined
  disabled?: boolean | undefined
}

export function MenuItem({ onSelect, children, icon, hint, keys, danger, disabled }: MenuItemProps) {
  return (
    <AriaMenuItem className={danger ? 'eh-menu-item eh-menu-danger' : 'eh-menu-item'} onClick={onSelect} disabled={disabled ?? false}>
      {icon ? <Icon name={icon} /> : null}
      <span className="eh-menu-text">
        {children}
        {hint ? <span className="eh-menu-hint">{hint}</span> : null}
      </span>
      {keys ? <Kbd keys={keys} /> : null}
    </AriaMenuItem>
  )
}

/** One of several that exclude each other: theme, organisation. */
export function MenuChoice<V extends string>({ label, value, options, onChange }: {
  label: string
  value: V
  options: readonly { value: V; label: string; hint?: string | undefined }[]
  onChange: (value: V) => void
}) {
  return (
    <MenuGroup>
      <MenuGroupLabel className="eh-menu-label">{label}</MenuGroupLabel>
      {options.map((option) => (
        <MenuItemRadio
          key={option.value}
          className="eh-menu-item"
          name={label}
          value={option.value}
          checked={option.value === value}
          hideOnClick
          onChange={() => onChange(option.value)}
        >
          <span className="eh-menu-check">{option.value === value ? <Icon name="check" /> : null}</span>
          <span className="eh-menu-text">
            {option.label}
            {option.hint ? <span className="eh-menu-hint">{option.hint}</span> : null}
          </span>
        </MenuItemRadio>
      ))}
    </MenuGroup>
  )
}

export function MenuLine() {
  return <MenuSeparator className="eh-menu-line" />
}
