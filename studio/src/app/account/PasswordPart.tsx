import { useState } from 'react'
import { api } from '../../ui/api'
import { Button } from '../../ui/Button'
import { FormDialog } from '../../ui/FormDialog'
import { t } from '../../ui/messages'
import { toast } from '../../ui/Toast'
import { refresh } from '../../ui/useApi'
import { PasswordField } from '../signin/PasswordField'

export function PasswordPart({ has }: { has: boolean }) {
  const [open, setOpen] = useState(false)
  const [password, setPassword] = useState('')
  const close = () => {
    setOpen(false)
    setPassword('')
  }
  const save = async () => {
    await api.post('/me/password', { password }, { org: null })
    refresh('/me/security')
    toast(t('account.password.changed'), 'ok')
    close()
  }
  return (
    <section className="eh-account-part">
      <div className="eh-section-head">
        <h2>{t('account.password')}</h2>
        <Button onClick={() => setOpen(true)}>{t(has ? 'account.password.change' : 'account.password.choose')}</Button>
      </div>
      <p className="eh-muted">{t(has ? 'account.password.text' : 'account.password.none')}</p>
      <FormDialog open={open} onClose={close} title={t(has ? 'account.password.change' : 'account.password.choose')} verb={t('ui.save')} act={save} ready={password.length >= 10}>
        <PasswordField label={t('signin.link.password')} autoComplete="new-password" value={password} onText={setPassword} hint={t('signin.link.password.hint')} />
      </FormDialog>
    </section>
  )
}
