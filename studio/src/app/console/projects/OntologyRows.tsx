import type { FieldChoice, Medium, Ontology, OntologyAttribute, OntologyField } from '../../../model/types'
import { IconButton } from '../../../ui/Button'
import { Checkbox } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { withKey } from './ontology'
import { WhenEditor } from './WhenEditor'

const attributeTypes: readonly OntologyAttribute['type'][] = ['boolean', 'choice', 'text', 'number']
const fieldTypes: readonly OntologyField['type'][] = ['choice', 'text', 'rating', 'number', 'preference']

export function AttributeRow({ item, at, ontology, onChange, onRemove }: { item: OntologyAttribute; at: number; ontology: Ontology; onChange: (next: OntologyAttribute) => void; onRemove: () => void }) {
  const name = item.name || t('console.onto.attribute-n', { n: at + 1 })
  return (
    <li className="eh-onto-item">
      <input className="eh-input eh-onto-name" aria-label={t('console.onto.name-of', { name })} value={item.name} onChange={(event) => onChange({ ...item, name: event.target.value })} />
      <select
        className="eh-input eh-onto-type"
        aria-label={t('console.onto.type-of', { name })}
        value={item.type}
        onChange={(event) => {
          const type = event.target.value as OntologyAttribute['type']
          onChange({ ...withKey(withKey(item, 'choices', undefined), 'multiple', undefined), type, ...(type === 'choice' ? { choices: item.choices ?? ['a', 'b'] } : {}) })
        }}
      >
        {attributeTypes.map((type) => (
          <option key={type} value={type}>
            {t(`console.attribute-type.${type}`)}
          </option>
        ))}
      </select>
      <IconButton label={t('console.onto.remove', { name })} icon="trash" onClick={onRemove} />
      <div className="eh-onto-more">
        {item.type === 'choice' ? (
          <>
            <input
              className="eh-input"
              aria-label={t('console.onto.choices-of', { name })}
              placeholder={t('console.onto.choices')}
              defaultValue={(item.choices ?? []).join(', ')}
              onBlur={(event) => onChange({ ...item, choices: splitList(event.target.value) })}
            />
            <Checkbox label={t('console.onto.multiple')} checked={item.multiple ?? false} onChecked={(on) => onChange(withKey(item, 'multiple', on || undefined))} />
          </>
        ) : null}
        <Checkbox label={t('console.onto.required')} checked={item.required ?? false} onChecked={(on) => onChange(withKey(item, 'required', on || undefined))} />
        <WhenEditor ontology={ontology} owner={{ kind: 'attribute', name: item.name }} name={name} when={item.when} onChange={(when) => onChange(withKey(item, 'when', when))} />
      </div>
    </li>
  )
}

export function FieldRow({ item, at, medium, ontology, onChange, onRemove }: {
  item: OntologyField
  at: number
  medium: Medium
  ontology: Ontology
  onChange: (next: OntologyField) => void
  onRemove: () => void
}) {
  const name = item.title || item.key || t('console.onto.field-n', { n: at + 1 })
  const number = (text: string) => (text.trim() === '' || Number.isNaN(Number(text)) ? undefined : Number(text))
  return (
    <li className="eh-onto-item">
      <input
        className="eh-input eh-onto-name"
        aria-label={t('console.onto.question-of', { name })}
        placeholder={t('console.onto.question')}
        value={item.title ?? ''}
        onChange={(event) => onChange(withKey(item, 'title', event.target.value))}
      />
      <input
        className="eh-input eh-onto-type eh-mono"
        aria-label={t('console.onto.key-of', { name })}
        title={t('console.onto.key')}
        value={item.key}
        onChange={(event) => onChange({ ...item, key: event.target.value.replace(/\s+/g, '_') })}
      />
      <select className="eh-input eh-onto-type" aria-label={t('console.onto.type-of', { name })} value={item.type} onChange={(event) => onChange(retype(item, event.target.value as OntologyField['type']))}>
        {fieldTypes
          .filter((type) => type !== 'preference' || medium === 'conversation')
          .map((type) => (
            <option key={type} value={type}>
              {t(`console.field-type.${type}`)}
            </option>
          ))}
      </select>
      <IconButton label={t('console.onto.remove', { name })} icon="trash" onClick={onRemove} />
      <div className="eh-onto-more">
        {item.type === 'choice' ? (
          <>
            <input
              className="eh-input"
              aria-label={t('console.onto.choices-of', { name })}
              placeholder={t('console.onto.choices')}
              defaultValue={(item.choices ?? []).map((choice) => choice.label ?? choice.value).join(', ')}
              onBlur={(event) => onChange({ ...item, choices: choicesFrom(event.target.value, item.choices ?? []) })}
            />
            <Checkbox label={t('console.onto.multiple')} checked={item.multiple ?? false} onChecked={(on) => onChange(withKey(item, 'multiple', on || undefined))} />
          </>
        ) : null}
        {item.type === 'rating' || item.type === 'number' ? (
          <>
            <input className="eh-input eh-onto-number" inputMode="decimal" aria-label={t('console.onto.min-of', { name })} placeholder={t('console.onto.min')} value={item.min ?? ''} onChange={(event) => onChange(withKey(item, 'min', number(event.target.value)))} />
            <input className="eh-input eh-onto-number" inputMode="decimal" aria-label={t('console.onto.max-of', { name })} placeholder={t('console.onto.max')} value={item.max ?? ''} onChange={(event) => onChange(withKey(item, 'max', number(event.target.value)))} />
          </>
        ) : null}
        {item.type === 'text' ? (
          <>
            <Checkbox label={t('console.onto.long')} checked={item.long ?? false} onChecked={(on) => onChange(withKey(item, 'long', on || undefined))} />
            {medium === 'conversation' ? (
              <Checkbox
                label={t('console.onto.rewrite')}
                checked={item.prefill === 'answer'}
                onChecked={(on) => onChange(withKey(withKey(item, 'prefill', on ? 'answer' : undefined), 'target', on ? 'answers' : undefined))}
              />
            ) : null}
          </>
        ) : null}
        {medium === 'conversation' && item.type !== 'preference' ? (
          <Checkbox label={t('console.onto.each-answer')} checked={item.target === 'answers'} onChecked={(on) => onChange(withKey(item, 'target', on ? 'answers' : undefined))} />
        ) : null}
        <Checkbox label={t('console.onto.required')} checked={item.required ?? false} onChecked={(on) => onChange(withKey(item, 'required', on || undefined))} />
        <WhenEditor ontology={ontology} owner={{ kind: 'field', name: item.key }} name={name} when={item.when} onChange={(when) => onChange(withKey(item, 'when', when))} />
      </div>
    </li>
  )
}

/** Another type keeps what makes sense for it. */
function retype(item: OntologyField, type: OntologyField['type']): OntologyField {
  const { key, title, hint, required, target, when } = item
  const next: OntologyField = { key, type, ...(title ? { title } : {}), ...(hint ? { hint } : {}), ...(required ? { required } : {}), ...(when ? { when } : {}), ...(target && type !== 'preference' ? { target } : {}) }
  if (type === 'choice') return { ...next, choices: item.choices ?? choicesFrom('Yes, No', []) }
  if (type === 'rating') return { ...next, min: item.min ?? 1, max: item.max ?? 5, step: item.step ?? 1 }
  return next
}

export function splitList(text: string): string[] {
  return [...new Set(text.split(/[,\n]/).map((part) => part.trim()).filter(Boolean))]
}

/** Labels typed with commas; a label that stays keeps its value, a new one gets a value made of it. */
export function choicesFrom(text: string, old: readonly FieldChoice[]): FieldChoice[] {
  return splitList(text).map((label, at) => {
    const kept = old.find((choice) => (choice.label ?? choice.value) === label)
    if (kept) return kept
    const value = label.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '_').replace(/^_|_$/g, '') || `choice_${at + 1}`
    return { value, label, ...(at < 9 ? { hotkey: String(at + 1) } : {}) }
  })
}
