import { useState } from 'react'
import { api } from '../../ui/api'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { TextField } from '../../ui/Field'
import { Confirm, FormDialog } from '../../ui/FormDialog'
import { formatAgo, formatDate, t } from '../../ui/messages'
import { Table } from '../../ui/Table'
import { refresh } from '../../ui/useApi'
import { makePasskey, type Asked } from '../../ui/webauthn'
import { PasskeyButton } from '../signin/PasskeyButton'
import type { PasskeyLine } from './types'

export function PasskeysPart({ passkeys }: { passkeys: readonly PasskeyLine[] }) {
  const [error, setError] = useState<unknown>(null)
  const [naming, setNaming] = useState<PasskeyLine | null>(null)
  const [removing, setRemoving] = useState<PasskeyLine | null>(null)
  const add = async () => {
    const asked = await api.post<Asked>('/me/passkeys', {}, { org: null })
    await api.post('/me/passkeys/confirm', { token: asked.token, credential: await makePasskey(asked), name: t('account.passkey.nth', { n: passkeys.length + 1 }) }, { org: null })
    refresh('/me/security')
  }
  return (
    <section className="eh-account-part">
      <div className="eh-section-head">
        <h2>{t('account.passkeys')}</h2>
        <PasskeyButton look="plain" label={t('account.passkey.add')} act={add} onError={setError} />
      </div>
      <p className="eh-muted">{t('account.passkeys.text')}</p>
      <ErrorNote error={error} />
      {passkeys.length ? (
        <Table
          label={t('account.passkeys')}
          rows={passkeys}
          rowKey={(key) => key.id}
          columns={[
            { key: 'name', title: t('account.name'), cell: (key) => <strong className="eh-break">{key.name}</strong> },
            { key: 'made', title: t('account.made'), tight: true, wideOnly: true, cell: (key) => formatDate(key.created_at, 'date') },
            { key: 'used', title: t('account.used'), tight: true, wideOnly: true, cell: (key) => (key.used_at ? formatAgo(key.used_at) : t('account.never')) },
            {
              key: 'do',
              title: t('ui.more'),
              hideTitle: true,
              tight: true,
              cell: (key) => (
                <span className="eh-account-do">
                  <Button small look="quiet" onClick={() => setNaming(key)} aria-label={t('account.rename-what', { name: key.name })}>
                    {t('account.rename')}
                  </Button>
                  <Button small look="quiet" onClick={() => setRemoving(key)} aria-label={t('account.remove-what', { name: key.name })}>
                    {t('account.remove')}
                  </Button>
                </span>
              ),
            },
          ]}
        />
      ) : null}
      {naming ? <Rename passkey={naming} onClose={() => setNaming(null)} /> : null}
      <Confirm
        open={removing !== null}
        onClose={() => setRemoving(null)}
        title={t('account.remove-what', { name: removing?.name ?? '' })}
        verb={t('account.remove')}
        look="danger"
        act={async () => {
          await api.del(`/me/passkeys/${removing?.id ?? ''}`, { org: null })
          refresh('/me/security')
        }}
      >
        <p>{t('account.passkey.remove-text')}</p>
      </Confirm>
    </section>
  )
}

function Rename({ passkey, onClose }: { passkey: PasskeyLine; onClose: () => void }) {
  const [name, setName] = useState(passkey.name)
  const save = async () => {
    await api.patch(`/me/passkeys/${passkey.id}`, { name }, { org: null })
    refresh('/me/security')
    onClose()
  }
  return (
    <FormDialog open onClose={onClose} title={t('account.rename-what', { name: passkey.name })} verb={t('ui.save')} act={save} ready={name.trim() !== ''}>
      <TextField label={t('account.name')} value={name} onText={setName} maxLength={60} required />
    </FormDialog>
  )
}
