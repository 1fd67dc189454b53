import { EmptyState } from '../../ui/EmptyState'
import { t } from '../../ui/messages'
import { Link } from '../../ui/router'

/** Nothing stands at this address, or nothing that one may see: says so, and leads on. */
export function MissingPage({ title = t('shell.not-found'), text = t('shell.not-found.text'), to, label = t('shell.go-home') }: {
  title?: string
  text?: string
  to: string
  label?: string
}) {
  return (
    <EmptyState
      page
      icon="search"
      title={title}
      text={text}
      action={
        <Link className="eh-button eh-button-primary" to={to}>
          {label}
        </Link>
      }
    />
  )
}
