import { useState } from 'react'
import { api } from '../../ui/api'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { TextField } from '../../ui/Field'
import { t } from '../../ui/messages'
import { useSubmit } from './useSubmit'

/** To the provider of the organisation whose mail domain the address has. */
export function ProviderForm({ onBack }: { onBack: () => void }) {
  const [email, setEmail] = useState('')
  const { busy, error, run } = useSubmit(async () => {
    location.assign((await api.post<{ url: string }>('/session/provider', { email: email.trim() }, { org: null })).url)
  })
  return (
    <form
      className="eh-stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (/.@./.test(email)) void run()
      }}
    >
      <ErrorNote error={error} />
      <TextField label={t('signin.provider.email')} type="email" autoComplete="username" autoFocus value={email} onText={setEmail} required />
      <Button type="submit" busy={busy}>
        {t('signin.provider.go')}
      </Button>
      <Button look="quiet" onClick={onBack}>
        {t('enrol.back')}
      </Button>
    </form>
  )
}
