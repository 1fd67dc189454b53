import { useId, type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react'
import { Icon, type IconName } from './Icon'
import { t } from './messages'
import './Field.css'

export type ControlProps = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true; 'aria-required'?: true }

type FieldProps = {
  label: ReactNode
  hint?: ReactNode
  error?: string | null | undefined
  required?: boolean | undefined
  children: (control: ControlProps) => ReactNode
}

/** A label, a control, a hint and an error, tied together for everybody who cannot see the layout. */
export function Field({ label, hint, error, required, children }: FieldProps) {
  const id = useId()
  const described = [hint ? `${id}-h` : '', error ? `${id}-e` : ''].filter(Boolean).join(' ')
  const control: ControlProps = { id }
  if (described) control['aria-describedby'] = described
  if (error) control['aria-invalid'] = true
  if (required) control['aria-required'] = true
  return (
    <div className="eh-field">
      <label className="eh-field-label" htmlFor={id}>
        {label}
      </label>
      {children(control)}
      {hint ? (
        <div className="eh-field-note" id={`${id}-h`}>
          {hint}
        </div>
      ) : null}
      {error ? (
        <div className="eh-field-error" id={`${id}-e`}>
          <Icon name="warn" size={14} />
          {error}
        </div>
      ) : null}
    </div>
  )
}

/** Several controls under one name. */
export function FieldGroup({ label, hint, children }: { label: ReactNode; hint?: ReactNode; children: ReactNode }) {
  return (
    <fieldset className="eh-field">
      <legend className="eh-field-label">{label}</legend>
      {children}
      {hint ? <div className="eh-field-note">{hint}</div> : null}
    </fieldset>
  )
}

type Common = { label: ReactNode; hint?: ReactNode; error?: string | null | undefined; small?: boolean | undefined }

export function TextField({ label, hint, error, small, onText, ref, ...rest }: Common &
  Omit<InputHTMLAttributes<HTMLInputElement>, 'className' | 'id' | 'onChange'> & { onText: (text: string) => void; ref?: Ref<HTMLInputElement> | undefined }) {
  return (
    <Field label={label} hint={hint} error={error} required={rest.required}>
      {(control) => (
        <input className={small ? 'eh-input eh-input-small' : 'eh-input'} {...rest} {...(ref ? { ref } : {})} {...control} onChange={(event) => onText(event.target.value)} />
      )}
    </Field>
  )
}

export function AreaField({ label, hint, error, onText, ...rest }: Common &
  Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'className' | 'id' | 'onChange'> & { onText: (text: string) => void }) {
  return (
    <Field label={label} hint={hint} error={error} required={rest.required}>
      {(control) => <textarea className="eh-input" rows={4} {...rest} {...control} onChange={(event) => onText(event.target.value)} />}
    </Field>
  )
}

export type Option<V extends string = string> = { value: V; label: string; icon?: IconName | undefined }

export function SelectField<V extends string>({ label, hint, error, small, options, value, onValue, ...rest }: Common &
  Omit<SelectHTMLAttributes<HTMLSelectElement>, 'className' | 'id' | 'onChange' | 'value'> & {
    options: readonly Option<V>[]
    value: V
    onValue: (value: V) => void
  }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <select className={small ? 'eh-input eh-input-small' : 'eh-input'} value={value} {...rest} {...control} onChange={(event) => onValue(event.target.value as V)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

export function Checkbox({ label, hint, checked, onChecked, disabled }: {
  label: ReactNode
  hint?: ReactNode
  checked: boolean
  onChecked: (checked: boolean) => void
  disabled?: boolean
}) {
  const id = useId()
  return (
    <label className="eh-check" htmlFor={id}>
      <input id={id} type="checkbox" checked={checked} disabled={disabled ?? false} onChange={(event) => onChecked(event.target.checked)} />
      <span>
        {label}
        {hint ? <span className="eh-field-note"> {hint}</span> : null}
      </span>
    </label>
  )
}

/** Radio buttons that look like one control: two to five short choices, all in sight. */
export function Segments<V extends string>({ label, options, value, onValue, hideLabel }: {
  label: string
  options: readonly Option<V>[]
  value: V
  onValue: (value: V) => void
  hideLabel?: boolean
}) {
  const name = useId()
  return (
    <fieldset className="eh-field">
      <legend className={hideLabel ? 'eh-sr' : 'eh-field-label'}>{label}</legend>
      <div className="eh-segments">
        {options.map((option) => (
          <label key={option.value} className="eh-segment">
            <input type="radio" name={name} value={option.value} checked={option.value === value} onChange={() => onValue(option.value)} />
            {option.icon ? <Icon name={option.icon} /> : null}
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

export function requiredError(value: string): string | null {
  return value.trim() ? null : t('ui.required')
}
