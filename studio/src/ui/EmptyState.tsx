import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon'
import './EmptyState.css'

/** An empty page teaches: what this is, one button, one example. */
export function EmptyState(props: {
  title: string
  text: ReactNode
  icon?: IconName | undefined
  action?: ReactNode
  /** This is the whole page: its title is the page's. */
  page?: boolean
  example?: { label: string; code: string } | undefined
}) {
  return (
    <div className="eh-empty">
      {props.icon ? <Icon name={props.icon} size={28} /> : null}
      {props.page ? <h1>{props.title}</h1> : <h2>{props.title}</h2>}
      <div className="eh-empty-text">{props.text}</div>
      {props.action}
      {props.example ? (
        <div className="eh-empty-example">
          <span className="eh-muted eh-small">{props.example.label}</span>
          <pre tabIndex={0} aria-label={props.example.label}>
            <code>{props.example.code}</code>
          </pre>
        </div>
      ) : null}
    </div>
  )
}
