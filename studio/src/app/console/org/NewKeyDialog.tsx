import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Checkbox, FieldGroup, Segments, SelectField, TextField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'
import { CopyText } from '../CopyText'

/** Makes a key and shows it, this once. */
export function NewKeyDialog({ open, onClose, mode: given }: { open: boolean; onClose: () => void; mode: 'live' | 'test' }) {
  const [name, setName] = useState('')
  const [mode, setMode] = useState(given)
  const [write, setWrite] = useState(true)
  const [manage, setManage] = useState(false)
  const [days, setDays] = useState('0')
  const [made, setMade] = useState<{ key: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const close = () => {
    setMade(null)
    setName('')
    setError(null)
    onClose()
  }
  const create = async () => {
    if (!name.trim()) return
    setBusy(true)
    setError(null)
    try {
      const expires = Number(days) ? { expires_at: new Date(Date.now() + Number(days) * 86_400_000).toISOString() } : {}
      setMade(await api.post<{ key: string }>('/keys', { name: name.trim(), mode, scopes: ['read', ...(write ? ['write'] : []), ...(manage ? ['manage'] : [])], ...expires }, { key: newKey() }))
      refresh('/keys')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      title={made ? t('console.keys.made') : t('console.keys.new')}
      onSubmit={() => void (made ? close() : create())}
      foot={
        made ? (
          <Button type="submit" look="primary">
            {t('console.keys.kept')}
          </Button>
        ) : (
          <>
            <Button onClick={close}>{t('ui.cancel')}</Button>
            <Button type="submit" look="primary" busy={busy} disabled={!name.trim()}>
              {t('console.keys.create')}
            </Button>
          </>
        )
      }
    >
      {made ? (
        <>
          <p>{t('console.keys.once')}</p>
          <CopyText text={made.key} label={t('console.keys.key')} />
        </>
      ) : (
        <>
          <TextField label={t('console.keys.name')} hint={t('console.keys.name.hint')} value={name} onText={setName} required maxLength={100} />
          <Segments
            label={t('console.keys.mode')}
            value={mode}
            options={[
              { value: 'live', label: t('console.mode.live') },
              { value: 'test', label: t('console.mode.test') },
            ]}
            onValue={setMode}
          />
          <FieldGroup label={t('console.keys.may')}>
            <Checkbox label={t('console.scope.read')} checked disabled onChecked={() => undefined} />
            <Checkbox label={t('console.scope.write')} hint={t('console.scope.write.hint')} checked={write} onChecked={setWrite} />
            <Checkbox label={t('console.scope.manage')} hint={t('console.scope.manage.hint')} checked={manage} onChecked={setManage} />
          </FieldGroup>
          <SelectField
            label={t('console.keys.expires')}
            value={days}
            options={[
              { value: '0', label: t('console.keys.never') },
              ...['30', '90', '365'].map((value) => ({ value, label: t('console.keys.days', { count: Number(value) }) })),
            ]}
            onValue={setDays}
          />
        </>
      )}
      <ErrorNote error={error} />
    </Dialog>
  )
}
