import { useEffect, useState } from 'react'
import { api, setProver } from '../../ui/api'
import { FormDialog } from '../../ui/FormDialog'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { showPasskey, type Asked } from '../../ui/webauthn'
import type { Security } from '../account/types'
import { CodeField } from '../signin/CodeField'
import { PasskeyButton } from '../signin/PasskeyButton'
import { PasswordField } from '../signin/PasswordField'
import { useSession } from './session'

/** Asks for a fresh proof when the server wants one; the request that was refused is then sent again. */
export function ProveDialog() {
  const state = useSession()
  const [answer, setAnswer] = useState<((proved: boolean) => void) | null>(null)
  const [security, setSecurity] = useState<Security | null>(null)
  useEffect(() => {
    let waiting: Promise<boolean> | null = null
    setProver(() => {
      // several requests at once ask one question
      waiting ??= new Promise<boolean>((resolve) => setAnswer(() => resolve)).finally(() => (waiting = null))
      return waiting
    })
    return () => setProver(null)
  }, [])
  useEffect(() => {
    if (answer) void api.get<Security>('/me/security', undefined, { org: null }).then(setSecurity, () => setSecurity(null))
  }, [answer])
  if (!answer || state.status !== 'in') return null
  const end = (proved: boolean) => {
    answer(proved)
    setAnswer(null)
  }
  return <Ask security={security} provider={state.session.method === 'provider'} end={end} />
}

function Ask({ security, provider, end }: { security: Security | null; provider: boolean; end: (proved: boolean) => void }) {
  const [code, setCode] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>(null)
  const alone = security?.demo === true && !security.app
  const byCode = Boolean(security?.app) || alone
  const prove = async () => {
    await api.post('/me/prove', alone ? { password } : { code: code.trim() }, { org: null })
    end(true)
  }
  const byPasskey = async () => {
    const asked = await api.post<Asked>('/session/passkey', {}, { org: null })
    await api.post('/me/prove/passkey', { token: asked.token, credential: await showPasskey(asked) }, { org: null })
    end(true)
  }
  return (
    <FormDialog open onClose={() => end(false)} title={t('prove.title')} verb={t('prove.go')} act={prove} ready={byCode && !provider && Boolean(alone ? password : code.trim())}>
      <p>{t(provider ? 'prove.by-provider' : 'prove.text')}</p>
      {security?.passkeys.length ? <PasskeyButton label={t('signin.passkey.use')} act={byPasskey} onError={setError} /> : null}
      <ErrorNote error={error} />
      {provider || !byCode ? null : alone ? (
        <PasswordField label={t('signin.password')} autoComplete="current-password" value={password} onText={setPassword} />
      ) : (
        <CodeField label={t('signin.code')} value={code} onText={setCode} hint={t('signin.code.hint')} />
      )}
    </FormDialog>
  )
}
