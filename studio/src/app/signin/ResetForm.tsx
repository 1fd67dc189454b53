import { useState } from 'react'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { CodeField } from './CodeField'
import { headingOf, type LinkInfo, type UseLink } from './LinkPage'
import { PasswordField } from './PasswordField'
import { useSubmit } from './useSubmit'

/** A new password. Whoever has an authenticator app shows its code, too: the link alone opens nothing. */
export function ResetForm({ info, use }: { info: LinkInfo; use: UseLink }) {
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [tried, setTried] = useState(false)
  const long = password.length >= 10
  const { busy, error, run } = useSubmit(() => use({ password, code: code.trim() }))
  return (
    <form
      className="eh-stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (long) void run()
      }}
    >
      <h1>{headingOf(info)}</h1>
      <p className="eh-muted">{t('signin.link.reset.text', { email: info.email ?? '' })}</p>
      <ErrorNote error={error} />
      <input type="hidden" name="username" autoComplete="username" value={info.email ?? ''} />
      <PasswordField label={t('signin.link.password')} autoComplete="new-password" value={password} onText={setPassword} hint={t('signin.link.password.hint')} error={tried && !long ? t('signin.link.short') : null} />
      <CodeField label={t('signin.code')} value={code} onText={setCode} hint={t('signin.link.reset.code')} />
      <Button type="submit" look="primary" busy={busy}>
        {t('signin.link.go.reset')}
      </Button>
    </form>
  )
}
