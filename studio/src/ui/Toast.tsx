import { useSyncExternalStore } from 'react'
import { toApiError } from './api'
import { Button, IconButton } from './Button'
import { t } from './messages'
import './Toast.css'

export type ToastLook = 'info' | 'ok' | 'danger'
type Toast = { id: number; text: string; look: ToastLook; act?: { label: string; run: () => void } | undefined }

let toasts: readonly Toast[] = []
let nextId = 1
const listeners = new Set<() => void>()

function change(next: readonly Toast[]): void {
  toasts = next
  for (const listener of listeners) listener()
}

export function dismiss(id: number): void {
  change(toasts.filter((toast) => toast.id !== id))
}

/** Says briefly what was done. Errors stay until dismissed; anything with an action stays longer. */
export function toast(text: string, look: ToastLook = 'info', act?: { label: string; run: () => void }): number {
  const id = nextId
  nextId += 1
  change([...toasts.slice(-3), { id, text, look, act }])
  if (look !== 'danger') setTimeout(() => dismiss(id), act ? 10_000 : 5_000)
  return id
}

export function toastError(error: unknown): void {
  const problem = toApiError(error)
  toast([problem.title, problem.detail, problem.hint].filter(Boolean).map(sentence).join(' '), 'danger')
}

function sentence(text: string): string {
  return /[.?…]$/.test(text) ? text : `${text}.`
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div className="eh-toasts" role="region" aria-label={t('ui.notifications')}>
      <div role="status" aria-live="polite" className="eh-stack-2">
        {shown.map((item) => (
          <div key={item.id} className={`eh-toast eh-toast-${item.look}`}>
            <div className="eh-toast-text">{item.text}</div>
            {item.act ? (
              <Button
                small
                onClick={() => {
                  item.act?.run()
                  dismiss(item.id)
                }}
              >
                {item.act.label}
              </Button>
            ) : null}
            <IconButton label={t('ui.dismiss')} icon="close" small onClick={() => dismiss(item.id)} />
          </div>
        ))}
      </div>
    </div>
  )
}
