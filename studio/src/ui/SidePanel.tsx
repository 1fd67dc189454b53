import { useEffect, useRef, type ReactNode } from 'react'
import { IconButton } from './Button'
import { t } from './messages'
import './SidePanel.css'

/** Shows one row beside its list; the list stays usable. Escape closes and gives the focus back. `over` floats above the page. */
export function SidePanel({ title, onClose, children, actions, over }: { title: ReactNode; onClose: () => void; children: ReactNode; actions?: ReactNode; over?: boolean }) {
  const panel = useRef<HTMLElement>(null)
  const back = useRef<Element | null>(null)
  useEffect(() => {
    back.current = document.activeElement
    return () => {
      if (back.current instanceof HTMLElement && back.current.isConnected) back.current.focus({ preventScroll: true })
    }
  }, [])
  return (
    <aside
      ref={panel}
      className={over ? 'eh-panel eh-panel-over' : 'eh-panel'}
      aria-label={typeof title === 'string' ? title : t('ui.more')}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return
        event.preventDefault()
        onClose()
      }}
    >
      <div className="eh-panel-head">
        <h2 className="eh-grow eh-ellipsis">{title}</h2>
        {actions}
        <IconButton label={t('ui.close')} icon="close" keys="Esc" onClick={onClose} />
      </div>
      <div className="eh-panel-body" tabIndex={0} role="group" aria-label={typeof title === 'string' ? title : t('ui.more')}>
        {children}
      </div>
    </aside>
  )
}
