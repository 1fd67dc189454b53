import { useState } from 'react'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { TextField } from '../../ui/Field'
import { t } from '../../ui/messages'
import { useTitle } from '../shell/useTitle'
import { Brand } from '../shell/Brand'
import { signIn } from '../shell/session'
import { PasswordField } from './PasswordField'
import './Signin.css'

export function SigninPage() {
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [missing, setMissing] = useState(false)
  useTitle(t('signin.title'))
  const submit = async () => {
    setMissing(!email.trim() || !password)
    if (!email.trim() || !password) return
    setBusy(true)
    setError(null)
    try {
      await signIn(email.trim(), password)
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  return (
    <main className="eh-signin">
      <Brand />
      <form
        className="eh-signin-box"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <h1>{t('signin.title')}</h1>
        <ErrorNote error={error} />
        <TextField label={t('signin.email')} type="email" name="email" autoComplete="username" autoFocus value={email} onText={setEmail} required error={missing && !email.trim() ? t('signin.missing') : null} />
        <PasswordField label={t('signin.password')} autoComplete="current-password" value={password} onText={setPassword} error={missing && email.trim() && !password ? t('signin.missing') : null} />
        <Button type="submit" look="primary" busy={busy}>
          {t('signin.go')}
        </Button>
      </form>
      <p className="eh-signin-note">{t('signin.forgot')}</p>
    </main>
  )
}
