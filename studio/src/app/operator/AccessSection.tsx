import { useState } from 'react'
import { api, newKey } from '../../ui/api'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { SelectField, TextField } from '../../ui/Field'
import { FormDialog } from '../../ui/FormDialog'
import { formatDate, t } from '../../ui/messages'
import { Table } from '../../ui/Table'
import { refresh, useApi } from '../../ui/useApi'
import type { Access, OperatorOrg } from './types'

/** What one may read now, and break-glass: the first of two people asks, the second confirms. */
export function AccessSection({ orgs }: { orgs: readonly OperatorOrg[] }) {
  const { data, error, reload } = useApi<Access>('/operator/access', { poll: 10_000, org: null })
  const [asking, setAsking] = useState(false)
  return (
    <section className="eh-stack-2">
      <div className="eh-section-head">
        <h2>{t('operator.access')}</h2>
        <Button onClick={() => setAsking(true)}>{t('operator.glass')}</Button>
      </div>
      <p className="eh-muted">{t('operator.access.text')}</p>
      <ErrorNote error={error} retry={reload} />
      {data?.grants.map((grant) => (
        <p key={grant.id} className="eh-card eh-card-line">
          <a href={`/console/${grant.org}${grant.project ? `/projects/${grant.project}` : ''}`}>{grant.org_name}</a> <Badge look={grant.kind === 'break_glass' ? 'danger' : 'warn'}>{t(`operator.access.${grant.kind}`)}</Badge>{' '}
          <span className="eh-muted">{t('operator.access.until', { when: formatDate(grant.until_at) })}</span>
        </p>
      ))}
      {data && !data.grants.length ? <p className="eh-muted">{t('operator.access.none')}</p> : null}
      {data?.asks.length ? <Asks asks={data.asks} /> : null}
      {asking ? <AskDialog orgs={orgs} onClose={() => setAsking(false)} /> : null}
    </section>
  )
}

function Asks({ asks }: { asks: Access['asks'] }) {
  const [error, setError] = useState<unknown>(null)
  const confirm = async (id: string) => {
    try {
      await api.post(`/operator/break-glass/${id}/confirm`, {}, { key: newKey(), org: null })
      refresh('/operator/access')
    } catch (caught) {
      setError(caught)
    }
  }
  return (
    <>
      <Table
        label={t('operator.glass')}
        rows={asks}
        rowKey={(ask) => ask.id}
        columns={[
          { key: 'org', title: t('operator.org'), cell: (ask) => <strong className="eh-break">{ask.org_name}</strong> },
          { key: 'staff', title: t('operator.glass.asks'), cell: (ask) => ask.staff },
          { key: 'minutes', title: t('operator.glass.minutes'), number: true, cell: (ask) => String(ask.minutes) },
          {
            key: 'do',
            title: t('operator.glass.confirm'),
            tight: true,
            cell: (ask) =>
              ask.mine ? (
                <span className="eh-muted">{t('operator.glass.waits')}</span>
              ) : (
                <Button small look="danger" onClick={() => void confirm(ask.id)}>
                  {t('operator.glass.confirm')}
                </Button>
              ),
          },
        ]}
      />
      <ErrorNote error={error} />
    </>
  )
}

function AskDialog({ orgs, onClose }: { orgs: readonly OperatorOrg[]; onClose: () => void }) {
  const [org, setOrg] = useState(orgs[0]?.id ?? '')
  const [minutes, setMinutes] = useState('30')
  const [reason, setReason] = useState('')
  const ask = async () => {
    await api.post('/operator/break-glass', { org, minutes: Number(minutes), reason }, { key: newKey(), org: null })
    refresh('/operator/access')
    onClose()
  }
  const lengths = ['15', '30', '60', '240'].map((value) => ({ value, label: t('operator.glass.length', { count: Number(value) }) }))
  return (
    <FormDialog open onClose={onClose} title={t('operator.glass')} verb={t('operator.glass.ask')} look="danger" act={ask} ready={reason.trim().length >= 10 && org !== ''}>
      <p>{t('operator.glass.text')}</p>
      <SelectField label={t('operator.org')} value={org} options={orgs.map((one) => ({ value: one.id, label: one.name }))} onValue={setOrg} />
      <SelectField label={t('operator.glass.for')} value={minutes} options={lengths} onValue={setMinutes} />
      <TextField label={t('operator.glass.reason')} hint={t('operator.glass.reason.hint')} value={reason} onText={setReason} required maxLength={1000} />
    </FormDialog>
  )
}
