import { useState } from 'react'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { TextField } from '../../ui/Field'
import { t } from '../../ui/messages'
import { havePasskeys } from '../../ui/webauthn'
import { headingOf, type LinkInfo, type UseLink } from './LinkPage'
import { PasswordField } from './PasswordField'
import { useSubmit } from './useSubmit'

/** A name, and what will be signed in with: a passkey, or a password to which an authenticator app is added next. */
export function NewcomerForm({ info, use }: { info: LinkInfo; use: UseLink }) {
  const [name, setName] = useState('')
  const [email, setEmail] = useState(info.email ?? '')
  const [password, setPassword] = useState('')
  const [byPassword, setByPassword] = useState(!havePasskeys())
  const [tried, setTried] = useState(false)
  const addressed = Boolean(info.email) || /.@./.test(email)
  const long = !byPassword || password.length >= 10
  const { busy, error, run } = useSubmit(() => use({ name: name.trim(), ...(byPassword ? { password } : {}), ...(info.email ? {} : { email: email.trim() }) }))
  const submit = () => {
    setTried(true)
    if (name.trim() && addressed && long) void run()
  }
  return (
    <form
      className="eh-stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <h1>{headingOf(info)}</h1>
      <p className="eh-muted">{t(info.purpose === 'setup' ? 'signin.link.setup.text' : 'signin.link.invite.text', { email: info.email ?? '' })}</p>
      <ErrorNote error={error} />
      {info.email ? <input type="hidden" name="username" autoComplete="username" value={info.email} /> : null}
      {info.email ? null : (
        <TextField label={t('signin.email')} type="email" autoComplete="username" value={email} onText={setEmail} required error={tried && !addressed ? t('signin.link.no-email') : null} />
      )}
      <TextField label={t('signin.link.name')} autoComplete="name" value={name} onText={setName} required error={tried && !name.trim() ? t('signin.link.no-name') : null} />
      {byPassword ? (
        <PasswordField label={t('signin.link.password')} autoComplete="new-password" value={password} onText={setPassword} hint={t('signin.link.password.hint')} error={tried && !long ? t('signin.link.short') : null} />
      ) : null}
      <Button type="submit" look="primary" busy={busy}>
        {t(byPassword ? 'signin.link.next.app' : 'signin.link.next.passkey')}
      </Button>
      {havePasskeys() ? (
        <Button look="quiet" onClick={() => setByPassword(!byPassword)}>
          {t(byPassword ? 'signin.link.rather.passkey' : 'signin.link.rather.password')}
        </Button>
      ) : null}
    </form>
  )
}
