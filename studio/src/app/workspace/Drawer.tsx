/** Beside the work, not over it: the work goes on while it is open. */
import { useEffect, useRef, type ReactNode } from 'react'
import { IconButton } from '../../ui/Button'
import { say } from './phrases'
import './Drawer.css'

interface Props {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
  readonly head?: ReactNode
}

export function Drawer({ title, onClose, children, head }: Props) {
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    const before = document.activeElement
    return () => {
      if (before instanceof HTMLElement && before.isConnected && box.current?.contains(document.activeElement)) before.focus()
    }
  }, [])
  return (
    <aside
      className="eh-drawer"
      aria-label={title}
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return
        event.preventDefault()
        event.stopPropagation()
        onClose()
      }}
    >
      <header className="eh-drawer-head">
        <h2>{title}</h2>
        <IconButton label={say('work.close')} icon="close" small onClick={onClose} />
      </header>
      {head}
      <div className="eh-drawer-body" tabIndex={0} role="group" aria-label={title}>
        {children}
      </div>
    </aside>
  )
}
