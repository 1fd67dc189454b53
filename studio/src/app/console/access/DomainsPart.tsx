import { useState } from 'react'
import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'
import { useSubmit } from '../../signin/useSubmit'
import { CopyText } from '../CopyText'
import type { Domain } from './types'
import './Access.css'

export function DomainsPart({ domains }: { domains: readonly Domain[] }) {
  const [adding, setAdding] = useState(false)
  const [name, setName] = useState('')
  const add = async () => {
    await api.post('/access/domains', { domain: name.trim() })
    refresh('/access')
    setName('')
    setAdding(false)
  }
  return (
    <section className="eh-stack">
      <div className="eh-section-head">
        <h2>{t('console.domains')}</h2>
        <Button icon="plus" onClick={() => setAdding(true)}>
          {t('console.domains.add')}
        </Button>
      </div>
      <p className="eh-muted">{t('console.domains.text')}</p>
      {domains.length ? (
        <ul className="eh-access-domains">
          {domains.map((domain) => (
            <li key={domain.name} className="eh-card">
              <DomainRow domain={domain} />
            </li>
          ))}
        </ul>
      ) : null}
      <FormDialog open={adding} onClose={() => setAdding(false)} title={t('console.domains.add')} verb={t('console.domains.add')} act={add} ready={name.includes('.')}>
        <TextField label={t('console.domains.name')} value={name} onText={setName} placeholder="example.org" required spellCheck={false} />
      </FormDialog>
    </section>
  )
}

function DomainRow({ domain }: { domain: Domain }) {
  const path = `/access/domains/${encodeURIComponent(domain.name)}`
  const check = useSubmit(() => api.post(`${path}/verify`).then(() => refresh('/access')))
  const drop = useSubmit(() => api.del(path).then(() => refresh('/access')))
  return (
    <div className="eh-stack-2">
      <div className="eh-section-head">
        <strong className="eh-break">{domain.name}</strong>
        <Badge look={domain.verified ? 'ok' : 'warn'}>{t(domain.verified ? 'console.domains.shown' : 'console.domains.waiting')}</Badge>
        <Button small look="quiet" icon="trash" busy={drop.busy} onClick={() => void drop.run()} aria-label={t('console.domains.remove', { name: domain.name })} />
      </div>
      {domain.verified ? null : (
        <>
          <p className="eh-muted eh-small eh-break">{t('console.domains.how', { url: domain.url })}</p>
          <CopyText text={domain.word} label={domain.name} />
          <div>
            <Button busy={check.busy} onClick={() => void check.run()}>
              {t('console.domains.check', { name: domain.name })}
            </Button>
          </div>
        </>
      )}
      <ErrorNote error={check.error ?? drop.error} />
    </div>
  )
}
