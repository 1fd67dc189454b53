import { useState } from 'react'
import { api } from '../../ui/api'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { navigate } from '../../ui/router'
import { makePasskey, type Asked } from '../../ui/webauthn'
import { AppSetup } from '../account/AppSetup'
import { RecoveryCodes } from '../account/RecoveryCodes'
import { Brand } from '../shell/Brand'
import { enter, signOut, type Session } from '../shell/session'
import { useTitle } from '../shell/useTitle'
import { PasskeyButton } from './PasskeyButton'
import './Signin.css'

type Enrolled = { recovery: string[]; session: Session | null }

/** In, and away from the page of a link that has been used. */
function goIn(session: Session | null): void {
  if (!session) return
  enter(session)
  navigate('/', { replace: true })
}

/** Somebody who has proved a password only: a passkey or an authenticator app comes first. */
export function EnrolPage({ session }: { session: Session }) {
  useTitle(t('enrol.title'))
  return (
    <main className="eh-signin">
      <Brand />
      <div className="eh-signin-box">
        <EnrolSteps session={session} />
      </div>
      <Button look="quiet" onClick={() => void signOut()}>
        {t('enrol.later')}
      </Button>
    </main>
  )
}

export function EnrolSteps({ session }: { session: Session }) {
  const [error, setError] = useState<unknown>(null)
  const [app, setApp] = useState(false)
  const [done, setDone] = useState<Enrolled | null>(null)
  if (done)
    return (
      <>
        <h1>{t('enrol.codes')}</h1>
        <RecoveryCodes codes={done.recovery} />
        <Button look="primary" onClick={() => goIn(done.session)}>
          {t('enrol.kept')}
        </Button>
      </>
    )
  if (app)
    return (
      <>
        <h1>{t('enrol.app')}</h1>
        <AppSetup onDone={setDone} />
        <Button look="quiet" onClick={() => setApp(false)}>
          {t('enrol.back')}
        </Button>
      </>
    )
  const passkey = async () => {
    const asked = await api.post<Asked>('/me/passkeys', {}, { org: null })
    const made = await api.post<Enrolled>('/me/passkeys/confirm', { token: asked.token, credential: await makePasskey(asked), name: t('account.passkey.first') }, { org: null })
    goIn(made.session)
  }
  return (
    <>
      <h1>{t('enrol.title')}</h1>
      <p className="eh-muted">{t('enrol.text', { name: session.person.name || session.person.email })}</p>
      <ErrorNote error={error} />
      <PasskeyButton label={t('enrol.passkey')} act={passkey} onError={setError} />
      <Button onClick={() => setApp(true)}>{t('enrol.use-app')}</Button>
      <p className="eh-muted eh-small">{t('enrol.which')}</p>
    </>
  )
}
