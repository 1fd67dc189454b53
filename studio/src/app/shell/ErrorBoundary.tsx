import { Component, type ReactNode } from 'react'
import { ApiError } from '../../ui/api'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'

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
        <ErrorNote error={new ApiError(0, 'unexpected', t('ui.error.crash.title'), error.message, t('ui.error.crash.hint'))} />
        <Button look="primary" onClick={() => location.reload()}>
          {t('ui.error.reload')}
        </Button>
      </div>
    )
  }
}
