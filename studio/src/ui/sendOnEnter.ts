import type { KeyboardEvent } from 'react'

/** Ctrl+Enter (⌘+Enter) in a text of several lines sends the form that it stands in. */
export function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit()
}
