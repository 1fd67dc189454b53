import { useState } from 'react'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { TextField } from '../../ui/Field'
import { t, type MessageKey } from '../../ui/messages'
import { useApi } from '../../ui/useApi'
import { Brand } from '../shell/Brand'
import { signIn, signInByPasskey } from '../shell/session'
import { useTitle } from '../shell/useTitle'
import { CodeField } from './CodeField'
import { PasskeyButton } from './PasskeyButton'
import { PasswordField } from './PasswordField'
import { ProviderForm } from './ProviderForm'
import './Signin.css'

/** A passkey first; else a password and a code. */
export function SigninPage() {
  const ways = useApi<{ demo: boolean }>('/session/ways', { org: null })
  const demo = ways.data?.demo === true
  const [error, setError] = useState<unknown>(null)
  const [byProvider, setByProvider] = useState(false)
  const refused = new URLSearchParams(location.search).get('provider')
  useTitle(t('signin.title'))
  return (
    <main className="eh-signin">
      <Brand />
      <div className="eh-signin-box">
        <h1>{t('signin.title')}</h1>
        <ErrorNote error={error} />
        {refused && !error ? <p role="alert">{t(refusals[refused] ?? 'signin.provider.refused')}</p> : null}
        <PasskeyButton look={demo ? 'plain' : 'primary'} label={t('signin.passkey')} act={signInByPasskey} onError={setError} />
        <p className="eh-signin-or">{t('signin.or')}</p>
        {byProvider ? <ProviderForm onBack={() => setByProvider(false)} /> : <PasswordForm onError={setError} demo={demo} />}
        {byProvider ? null : (
          <Button look="quiet" onClick={() => setByProvider(true)}>
            {t('signin.provider')}
          </Button>
        )}
      </div>
      <p className="eh-signin-note">{t(demo ? 'signin.demo' : 'signin.forgot')}</p>
    </main>
  )
}

const refusals: Record<string, MessageKey> = { 'not-admitted': 'signin.provider.not-admitted', wall: 'signin.provider.wall', upstream: 'signin.provider.upstream' }

function PasswordForm({ onError, demo }: { onError: (error: unknown) => void; demo: boolean }) {
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [busy, setBusy] = useState(false)
  const [missing, setMissing] = useState(false)
  const submit = async () => {
    setMissing(!email.trim() || !password)
    if (!email.trim() || !password) return
    setBusy(true)
    onError(null)
    try {
      await signIn(email.trim(), password, code.trim())
    } catch (caught) {
      onError(caught)
      setBusy(false)
    }
  }
  return (
    <form
      className="eh-stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <TextField label={t('signin.email')} type="email" name="email" autoComplete="username" autoFocus value={email} onText={setEmail} required error={missing && !email.trim() ? t('signin.missing') : null} />
      <PasswordField label={t('signin.password')} autoComplete="current-password" value={password} onText={setPassword} error={missing && email.trim() && !password ? t('signin.missing') : null} />
      <CodeField label={t('signin.code')} value={code} onText={setCode} hint={t(demo ? 'signin.code.demo' : 'signin.code.hint')} />
      <Button type="submit" look={demo ? 'primary' : 'plain'} busy={busy}>
        {t('signin.go')}
      </Button>
    </form>
  )
}
