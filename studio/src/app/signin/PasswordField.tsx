import { useState } from 'react'
import { buttonClass } from '../../ui/Button'
import { Field } from '../../ui/Field'
import { t } from '../../ui/messages'

export function PasswordField(props: {
  label: string
  value: string
  onText: (text: string) => void
  autoComplete: 'current-password' | 'new-password'
  hint?: string | undefined
  error?: string | null | undefined
}) {
  const [shown, setShown] = useState(false)
  return (
    <Field label={props.label} hint={props.hint} error={props.error} required>
      {(control) => (
        <div className="eh-signin-password">
          <input
            className="eh-input"
            type={shown ? 'text' : 'password'}
            name="password"
            autoComplete={props.autoComplete}
            value={props.value}
            onChange={(event) => props.onText(event.target.value)}
            {...control}
          />
          <button type="button" className={buttonClass('quiet', true)} aria-pressed={shown} aria-label={t('signin.show')} onClick={() => setShown(!shown)}>
            <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" aria-hidden="true">
              <path d="M1.500 8C3 5.200 5.300 3.800 8 3.800S13 5.200 14.500 8C13 10.800 10.700 12.200 8 12.200S3 10.800 1.500 8Z" />
              <path d={shown ? 'M8 9.800a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600Z' : 'M3 13 13 3'} />
            </svg>
          </button>
        </div>
      )}
    </Field>
  )
}
