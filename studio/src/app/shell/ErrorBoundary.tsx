import { Component, type ReactNode } from 'react'
import { ApiError } from '../../ui/api'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { toast } from '../../ui/Toast'

/** What a browser says of a part of the page that it could not fetch: the server is away, or has been updated. */
const notFetched = /preload|dynamically imported|importing a module/i

function problemOf(error: Error): ApiError {
  if (notFetched.test(error.message)) return new ApiError(0, 'offline', t('ui.error.part.title'), '', t('ui.error.part.hint'))
  return new ApiError(0, 'unexpected', t('ui.error.crash.title'), error.message, t('ui.error.crash.hint'))
}

/** Without a server to load from, loading again would leave an empty window. */
async function loadAgain(): Promise<void> {
  try {
    await fetch('/healthz', { cache: 'no-store' })
    location.reload()
  } catch {
    toast(t('ui.error.offline.title'), 'danger')
  }
}

/** A page that breaks says so, and leaves the rest usable. `name` changes with the page, so that moving on recovers. */
export class ErrorBoundary extends Component<{ name: string; children: ReactNode }, { error: Error | null; name: string }> {
  override state: { error: Error | null; name: string } = { error: null, name: this.props.name }

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  static getDerivedStateFromProps(props: { name: string }, state: { name: string }) {
    return props.name === state.name ? null : { error: null, name: props.name }
  }

  override render() {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <div className="eh-crash">
        <ErrorNote error={problemOf(error)} />
        <Button look="primary" onClick={() => void loadAgain()}>
          {t('ui.error.reload')}
        </Button>
      </div>
    )
  }
}
