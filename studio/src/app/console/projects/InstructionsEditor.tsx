import { Markdown } from '../../../surfaces/markdown/Markdown'
import { AreaField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import './InstructionsEditor.css'

/** Markdown on the left, what annotators will read on the right. */
export function InstructionsEditor({ value, onText }: { value: string; onText: (text: string) => void }) {
  return (
    <div className="eh-instructions">
      <AreaField label={t('console.instructions')} hint={t('console.instructions.hint')} value={value} onText={onText} rows={14} spellCheck />
      <div className="eh-field">
        <span className="eh-field-label" aria-hidden="true">
          {t('console.instructions.preview')}
        </span>
        <div className="eh-instructions-preview" tabIndex={0} role="region" aria-label={t('console.instructions.preview')}>
          <Markdown source={value} top={2} />
        </div>
      </div>
    </div>
  )
}
