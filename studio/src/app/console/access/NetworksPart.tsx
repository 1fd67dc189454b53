import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { AreaField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'

export function NetworksPart({ networks, address }: { networks: readonly string[]; address: string }) {
  const [text, setText] = useState<string | null>(null)
  const save = async () => {
    const given = (text ?? '').split(/[\s,]+/).filter(Boolean)
    await api.put('/access/networks', { networks: given })
    refresh('/access')
    setText(null)
  }
  return (
    <section className="eh-stack">
      <div className="eh-section-head">
        <h2>{t('console.networks')}</h2>
        <Button onClick={() => setText(networks.join('\n'))}>{t('console.networks.change')}</Button>
      </div>
      <p className="eh-muted">{t('console.networks.text')}</p>
      {networks.length ? (
        <ul className="eh-access-list">
          {networks.map((network) => (
            <li key={network}>
              <code>{network}</code>
            </li>
          ))}
        </ul>
      ) : (
        <p>{t('console.networks.any')}</p>
      )}
      <FormDialog open={text !== null} onClose={() => setText(null)} title={t('console.networks.change')} verb={t('ui.save')} act={save}>
        <p>{t('console.networks.you', { address })}</p>
        <AreaField label={t('console.networks.field')} hint={t('console.networks.field.hint')} value={text ?? ''} onText={setText} spellCheck={false} rows={6} />
      </FormDialog>
    </section>
  )
}
