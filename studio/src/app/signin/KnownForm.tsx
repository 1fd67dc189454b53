import { useState } from 'react'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { signInByPasskey, useSession } from '../shell/session'
import { CodeField } from './CodeField'
import { headingOf, type LinkInfo, type UseLink } from './LinkPage'
import { PasskeyButton } from './PasskeyButton'
import { PasswordField } from './PasswordField'
import { useSubmit } from './useSubmit'

/** Somebody who has an account joins with it: an invitation is no key to an account. */
export function KnownForm({ info, use }: { info: LinkInfo; use: UseLink }) {
  const state = useSession()
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const here = state.status === 'in' && state.session.person.email === info.email
  const { busy, error, run, setError } = useSubmit(() => use(here ? {} : { password, code: code.trim() }))
  const byPasskey = async () => {
    await signInByPasskey()
    await use({})
  }
  return (
    <form
      className="eh-stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (here || password) void run()
      }}
    >
      <h1>{headingOf(info)}</h1>
      <p className="eh-muted">{t(here ? 'signin.link.here.text' : 'signin.link.known.text', { email: info.email ?? '' })}</p>
      <ErrorNote error={error} />
      {here ? null : (
        <>
          <PasskeyButton label={t('signin.passkey')} act={byPasskey} onError={setError} />
          <p className="eh-signin-or">{t('signin.or')}</p>
          <input type="hidden" name="username" autoComplete="username" value={info.email ?? ''} />
          <PasswordField label={t('signin.password')} autoComplete="current-password" value={password} onText={setPassword} />
          <CodeField label={t('signin.code')} value={code} onText={setCode} hint={t('signin.code.hint')} />
        </>
      )}
      <Button type="submit" look={here ? 'primary' : 'plain'} busy={busy}>
        {t('signin.link.go.invite')}
      </Button>
    </form>
  )
}
