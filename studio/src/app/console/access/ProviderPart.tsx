import { useState } from 'react'
import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { Checkbox, SelectField, TextField } from '../../../ui/Field'
import { Confirm, FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'
import { useSignedIn } from '../../shell/session'
import { CopyText } from '../CopyText'
import type { GivenRole, Provider } from './types'

const ROLES: readonly GivenRole[] = ['viewer', 'manager', 'annotator', 'reviewer']

export function ProviderPart({ provider }: { provider: Provider | null }) {
  const [open, setOpen] = useState<'set' | 'remove' | null>(null)
  const close = () => setOpen(null)
  return (
    <section className="eh-stack">
      <div className="eh-section-head">
        <h2>{t('console.provider')}</h2>
        {provider ? <Badge look={provider.on ? 'ok' : 'warn'}>{t(provider.on ? 'console.provider.on' : 'console.provider.off')}</Badge> : null}
        <Button onClick={() => setOpen('set')}>{t(provider ? 'console.provider.change' : 'console.provider.set')}</Button>
        {provider ? (
          <Button look="quiet" onClick={() => setOpen('remove')}>
            {t('console.provider.remove')}
          </Button>
        ) : null}
      </div>
      <p className="eh-muted">{t('console.provider.text')}</p>
      {provider ? (
        <dl className="eh-card eh-pairs">
          <dt>{t('console.provider.issuer')}</dt>
          <dd className="eh-break">{provider.issuer}</dd>
          <dt>{t('console.provider.client')}</dt>
          <dd className="eh-break">{provider.client_id}</dd>
          <dt>{t('console.provider.role')}</dt>
          <dd>{t(`console.role.${provider.role}`)}</dd>
        </dl>
      ) : null}
      {open === 'set' ? <SetProvider provider={provider} onClose={close} /> : null}
      <Confirm
        open={open === 'remove'}
        onClose={close}
        title={t('console.provider.remove')}
        verb={t('console.provider.remove')}
        look="danger"
        act={async () => {
          await api.del('/access/provider')
          refresh('/access')
        }}
      >
        <p>{t('console.provider.remove-text')}</p>
      </Confirm>
    </section>
  )
}

function SetProvider({ provider, onClose }: { provider: Provider | null; onClose: () => void }) {
  const { org } = useSignedIn()
  const [issuer, setIssuer] = useState(provider?.issuer ?? '')
  const [client, setClient] = useState(provider?.client_id ?? '')
  const [secret, setSecret] = useState('')
  const [role, setRole] = useState<GivenRole>(provider?.role ?? 'viewer')
  const [on, setOn] = useState(provider?.on ?? true)
  const redirect = provider?.redirect ?? `${location.origin}/signin/return/${org?.id ?? ''}`
  const logout = provider?.logout ?? `${location.origin}/signout/provider/${org?.id ?? ''}`
  const save = async () => {
    await api.put('/access/provider', { issuer: issuer.trim(), client_id: client.trim(), client_secret: secret, role, on })
    refresh('/access')
    onClose()
  }
  return (
    <FormDialog open onClose={onClose} title={t('console.provider')} verb={t('ui.save')} act={save} ready={issuer.trim() !== '' && client.trim() !== ''}>
      <ForProvider what="redirect" text={redirect} />
      <ForProvider what="logout" text={logout} />
      <TextField label={t('console.provider.issuer')} hint={t('console.provider.issuer.hint')} type="url" value={issuer} onText={setIssuer} required />
      <TextField label={t('console.provider.client')} value={client} onText={setClient} required autoComplete="off" />
      <TextField label={t('console.provider.secret')} hint={provider ? t('console.provider.secret.keep') : undefined} type="password" value={secret} onText={setSecret} autoComplete="off" />
      <SelectField label={t('console.provider.role')} value={role} options={ROLES.map((value) => ({ value, label: t(`console.role.${value}`) }))} onValue={setRole} />
      <Checkbox label={t('console.provider.on')} checked={on} onChecked={setOn} />
    </FormDialog>
  )
}

/** An address of ours that the provider must be told. */
function ForProvider({ what, text }: { what: 'redirect' | 'logout'; text: string }) {
  const label = t(`console.provider.${what}`)
  return (
    <div className="eh-stack-2">
      <span className="eh-field-label">{label}</span>
      <CopyText text={text} label={label} />
      <span className="eh-field-note">{t(`console.provider.${what}.hint`)}</span>
    </div>
  )
}
