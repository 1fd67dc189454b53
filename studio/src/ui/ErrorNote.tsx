import { toApiError } from './api'
import { Button } from './Button'
import { Icon } from './Icon'
import { t } from './messages'
import './ErrorNote.css'

/** What happened, to what, what is safe, what to do. Nothing when `error` is empty. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  if (error === null || error === undefined) return null
  const problem = toApiError(error)
  return (
    <div className="eh-error" role="alert">
      <Icon name="warn" />
      <div className="eh-grow eh-stack-2">
        <div>
          <div className="eh-error-title">{problem.title}</div>
          {problem.detail && problem.detail !== problem.title ? <div>{problem.detail}</div> : null}
          {problem.errors.length ? (
            <ul>
              {problem.errors.slice(0, 8).map((item, at) => (
                <li key={at}>
                  <code>{item.path}</code> {item.detail}
                </li>
              ))}
            </ul>
          ) : null}
          {problem.hint ? <div>{problem.hint}</div> : null}
        </div>
        {retry ? (
          <div>
            <Button small onClick={retry}>
              {t('ui.retry')}
            </Button>
          </div>
        ) : null}
      </div>
    </div>
  )
}
