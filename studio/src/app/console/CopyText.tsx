import { Button } from '../../ui/Button'
import { t } from '../../ui/messages'
import { toast, toastError } from '../../ui/Toast'
import './CopyText.css'

/** A text to take along: a key, a link, a secret. */
export function CopyText({ text, label, shown = true }: { text: string; label: string; shown?: boolean }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      toast(t('ui.copied'), 'ok')
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <div className="eh-secret">
      <code aria-label={label}>{shown ? text : '•'.repeat(24)}</code>
      <Button icon="copy" onClick={() => void copy()} aria-label={t('console.copy-what', { what: label })}>
        {t('ui.copy')}
      </Button>
    </div>
  )
}
