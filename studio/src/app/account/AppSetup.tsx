import { useEffect, useState } from 'react'
import { api } from '../../ui/api'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { Skeleton } from '../../ui/Skeleton'
import type { Session } from '../shell/session'
import { CodeField } from '../signin/CodeField'
import { PasswordField } from '../signin/PasswordField'
import { useSubmit } from '../signin/useSubmit'
import { QrCode } from './QrCode'
import './Account.css'

type Begun = { token: string; secret: string; uri: string; qr: string[] }
type Done = { recovery: string[]; session: Session | null }

/** An authenticator app: its picture, its secret in letters, and the first code. Who has no password yet chooses one before. */
export function AppSetup({ onDone }: { onDone: (done: Done) => void }) {
  const [begun, setBegun] = useState<Begun | null>(null)
  const [needs, setNeeds] = useState(false)
  const begin = useSubmit(async () => {
    try {
      setBegun(await api.post<Begun>('/me/app', {}, { org: null }))
      setNeeds(false)
    } catch (error) {
      if ((error as { code?: string }).code !== 'conflict') throw error
      setNeeds(true)
    }
  })
  const { run } = begin
  useEffect(() => void run(), []) // eslint-disable-line
  if (needs) return <FirstPassword onDone={() => void run()} />
  if (!begun) return begin.error ? <ErrorNote error={begin.error} retry={() => void run()} /> : <Skeleton lines={6} />
  return <Confirm begun={begun} onDone={onDone} />
}

function FirstPassword({ onDone }: { onDone: () => void }) {
  const [password, setPassword] = useState('')
  const { busy, error, run } = useSubmit(async () => {
    await api.post('/me/password', { password }, { org: null })
    onDone()
  })
  return (
    <form
      className="eh-stack"
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <p className="eh-muted">{t('account.app.password-first')}</p>
      <ErrorNote error={error} />
      <PasswordField label={t('signin.link.password')} autoComplete="new-password" value={password} onText={setPassword} hint={t('signin.link.password.hint')} />
      <Button type="submit" look="primary" busy={busy}>
        {t('account.next')}
      </Button>
    </form>
  )
}

function Confirm({ begun, onDone }: { begun: Begun; onDone: (done: Done) => void }) {
  const [code, setCode] = useState('')
  const { busy, error, run } = useSubmit(async () => onDone(await api.post<Done>('/me/app/confirm', { token: begun.token, code: code.trim() }, { org: null })))
  return (
    <form
      className="eh-stack"
      onSubmit={(event) => {
        event.preventDefault()
        if (code.trim()) void run()
      }}
    >
      <p className="eh-muted">{t('account.app.scan')}</p>
      <QrCode rows={begun.qr} label={t('account.app.picture')} />
      <p className="eh-small">
        {t('account.app.type')} <code className="eh-app-secret">{begun.secret.match(/.{1,4}/g)?.join(' ')}</code>
      </p>
      <ErrorNote error={error} />
      <CodeField label={t('account.app.code')} value={code} onText={setCode} />
      <Button type="submit" look="primary" busy={busy}>
        {t('account.app.confirm')}
      </Button>
    </form>
  )
}
