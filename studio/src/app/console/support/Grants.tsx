import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { SelectField, TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { Table, type Column } from '../../../ui/Table'
import { refresh, useApi } from '../../../ui/useApi'
import type { Project } from '../types'
import type { Grant, Support } from './types'

/** Ends it at once; everything that shows grants asks again. */
export async function endGrant(id: string): Promise<void> {
  await api.del(`/support/grants/${id}`)
  refresh('/support')
}

/** What was given to the operator's people, and the button that ends it. */
export function Grants({ projects, manages }: { projects: readonly Project[]; manages: boolean }) {
  const { data, error, reload } = useApi<Support>('/support', { poll: 15_000 })
  const [giving, setGiving] = useState(false)
  const names = new Map(projects.map((project) => [project.id, project.name]))
  return (
    <section className="eh-stack-2">
      <div className="eh-section-head">
        <h2>{t('console.grants')}</h2>
        {manages && data?.staff.length ? (
          <Button look="primary" icon="plus" onClick={() => setGiving(true)}>
            {t('console.grants.give')}
          </Button>
        ) : null}
      </div>
      <p className="eh-muted">{t('console.grants.text')}</p>
      <ErrorNote error={error} retry={reload} />
      {data && !data.grants.length ? <p className="eh-muted">{t('console.grants.none')}</p> : null}
      {data?.grants.length ? <Table label={t('console.grants')} rows={data.grants} rowKey={(grant) => grant.id} columns={columns(names, manages)} /> : null}
      {giving && data ? <GiveDialog staff={data.staff} projects={projects} onClose={() => setGiving(false)} /> : null}
    </section>
  )
}

function columns(names: ReadonlyMap<string, string>, manages: boolean): Column<Grant>[] {
  return [
    {
      key: 'who',
      title: t('console.who'),
      cell: (grant) => (
        <span className="eh-break">
          <strong>{grant.staff}</strong> {grant.kind === 'break_glass' ? <Badge look="danger">{t('console.grants.glass')}</Badge> : null}
          {grant.second ? <span className="eh-muted"> {t('console.grants.second', { name: grant.second })}</span> : null}
          {grant.reason ? <span className="eh-muted eh-grant-reason">{grant.reason}</span> : null}
        </span>
      ),
    },
    { key: 'scope', title: t('console.grants.scope'), wideOnly: true, cell: (grant) => (grant.project ? (names.get(grant.project) ?? grant.project) : t('console.grants.all')) },
    { key: 'until', title: t('console.grants.until'), tight: true, cell: (grant) => formatDate(grant.ended_at ?? grant.until_at) },
    { key: 'uses', title: t('console.grants.uses'), number: true, wideOnly: true, cell: (grant) => formatNumber(grant.uses) },
    {
      key: 'do',
      title: t('console.grants.end'),
      tight: true,
      cell: (grant) =>
        grant.live && manages ? (
          <Button small look="danger" onClick={() => void endGrant(grant.id)} aria-label={t('console.grants.end-of', { name: grant.staff })}>
            {t('console.grants.end')}
          </Button>
        ) : (
          <Badge look={grant.live ? 'warn' : 'plain'}>{t(grant.live ? 'console.grants.live' : 'console.grants.over')}</Badge>
        ),
    },
  ]
}

function GiveDialog({ staff, projects, onClose }: { staff: Support['staff']; projects: readonly Project[]; onClose: () => void }) {
  const [who, setWho] = useState(staff[0]?.id ?? '')
  const [project, setProject] = useState('')
  const [minutes, setMinutes] = useState('60')
  const [reason, setReason] = useState('')
  const give = async () => {
    await api.post('/support/grants', { staff: who, minutes: Number(minutes), reason, project: project || null }, { key: newKey() })
    refresh('/support')
    onClose()
  }
  const lengths = ['15', '60', '240', '1440'].map((value) => ({ value, label: t('console.grants.minutes', { count: Number(value) }) }))
  const scopes = [{ value: '', label: t('console.grants.all') }, ...projects.map((one) => ({ value: one.id, label: one.name }))]
  return (
    <FormDialog open onClose={onClose} title={t('console.grants.give')} verb={t('console.grants.give.verb')} act={give} ready={who !== ''}>
      <SelectField label={t('console.grants.staff')} value={who} options={staff.map((one) => ({ value: one.id, label: one.name }))} onValue={setWho} />
      <SelectField label={t('console.grants.scope')} value={project} options={scopes} onValue={setProject} />
      <SelectField label={t('console.grants.for')} value={minutes} options={lengths} onValue={setMinutes} />
      <TextField label={t('console.grants.reason')} hint={t('console.grants.reason.hint')} value={reason} onText={setReason} maxLength={1000} />
    </FormDialog>
  )
}
