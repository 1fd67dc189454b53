import { useState } from 'react'
import { api } from '../../ui/api'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { TextField } from '../../ui/Field'
import { t } from '../../ui/messages'
import { Link, navigate } from '../../ui/router'
import { Skeleton } from '../../ui/Skeleton'
import { useApi } from '../../ui/useApi'
import { Brand } from '../shell/Brand'
import { enter, homeOf, type Session } from '../shell/session'
import { useTitle } from '../shell/useTitle'
import { PasswordField } from './PasswordField'
import './Signin.css'

type LinkInfo = { purpose: 'setup' | 'invite' | 'reset'; email: string | null; org_name: string | null; known?: boolean }

/** A single-use link: first set-up, invitation, or a new password. */
export function LinkPage({ token }: { token: string }) {
  const { data, error } = useApi<LinkInfo>(`/links/${encodeURIComponent(token)}`, { org: null })
  useTitle(t('signin.title'))
  return (
    <main className="eh-signin">
      <Brand />
      <div className="eh-signin-box">
        {error && !data ? (
          <>
            <h1>{t('signin.link.unusable')}</h1>
            <ErrorNote error={error} />
            <p>{t('signin.link.dead')}</p>
            <Link className="eh-button" to="/signin">
              {t('signin.to-signin')}
            </Link>
          </>
        ) : data ? (
          <LinkForm token={token} info={data} />
        ) : (
          <Skeleton lines={5} />
        )}
      </div>
    </main>
  )
}

function heading(info: LinkInfo): string {
  if (info.purpose === 'setup') return t('signin.link.setup')
  if (info.purpose === 'reset') return t('signin.link.reset')
  return info.org_name ? t('signin.link.invite', { org: info.org_name }) : t('signin.link.invite-platform')
}

function LinkForm({ token, info }: { token: string; info: LinkInfo }) {
  const [name, setName] = useState('')
  const [email, setEmail] = useState(info.email ?? '')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const known = info.known === true && info.purpose === 'invite'
  const named = known || info.purpose === 'reset' || name.trim() !== ''
  const addressed = Boolean(info.email) || /.@./.test(email)
  const long = known ? password !== '' : password.length >= 10
  const submit = async () => {
    setTried(true)
    if (!named || !addressed || !long) return
    setBusy(true)
    setError(null)
    try {
      const session = await api.post<Session>(
        `/links/${encodeURIComponent(token)}`,
        { ...(known ? {} : { name: name.trim() }), password, ...(info.email ? {} : { email: email.trim() }) },
        { org: null },
      )
      enter(session)
      navigate(homeOf(session), { replace: true })
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  const text =
    info.purpose === 'setup' ? t('signin.link.setup.text') : t(info.purpose === 'reset' ? 'signin.link.reset.text' : known ? 'signin.link.known.text' : 'signin.link.invite.text', { email: info.email ?? '' })
  return (
    <form
      className="eh-stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <h1>{heading(info)}</h1>
      <p className="eh-muted">{text}</p>
      <ErrorNote error={error} />
      {info.email ? <input type="hidden" name="username" autoComplete="username" value={info.email} /> : null}
      {info.email ? null : (
        <TextField label={t('signin.email')} type="email" autoComplete="username" value={email} onText={setEmail} required error={tried && !addressed ? t('signin.link.no-email') : null} />
      )}
      {info.purpose === 'reset' || known ? null : (
        <TextField label={t('signin.link.name')} autoComplete="name" value={name} onText={setName} required error={tried && !named ? t('signin.link.no-name') : null} />
      )}
      <PasswordField
        label={t(known ? 'signin.password' : 'signin.link.password')}
        autoComplete={known ? 'current-password' : 'new-password'}
        value={password}
        onText={setPassword}
        hint={known ? undefined : t('signin.link.password.hint')}
        error={tried && !long ? t(known ? 'signin.missing' : 'signin.link.short') : null}
      />
      <Button type="submit" look="primary" busy={busy}>
        {t(`signin.link.go.${info.purpose}`)}
      </Button>
    </form>
  )
}
