import type { ReactNode } from 'react'
import './Badge.css'

export type BadgeLook = 'plain' | 'ok' | 'warn' | 'danger' | 'accent'

export function Badge({ look = 'plain', dot, children, title }: { look?: BadgeLook; dot?: boolean; children: ReactNode; title?: string | undefined }) {
  return (
    <span className={look === 'plain' ? 'eh-badge' : `eh-badge eh-badge-${look}`} title={title}>
      {dot ? <span className="eh-badge-dot" aria-hidden="true" /> : null}
      {children}
    </span>
  )
}
