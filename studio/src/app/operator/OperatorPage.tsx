import { useState } from 'react'
import { api, newKey } from '../../ui/api'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { ErrorNote } from '../../ui/ErrorNote'
import { Checkbox, FieldGroup, SelectField, TextField } from '../../ui/Field'
import { formatAgo, formatNumber, t, type MessageKey } from '../../ui/messages'
import { Skeleton } from '../../ui/Skeleton'
import { Table } from '../../ui/Table'
import { useQuery } from '../../ui/router'
import { refresh, useApi } from '../../ui/useApi'
import { CopyText } from '../console/CopyText'
import { AccountMenu } from '../shell/AccountMenu'
import { Brand } from '../shell/Brand'
import { useTitle } from '../shell/useTitle'
import './Operator.css'

type Overview = {
  orgs: { id: string; name: string; mode?: string; members: number; waiting: number }[]
  people: { id: string; name: string; email: string; state: string; operator?: boolean }[]
  jobs: Record<string, unknown>
}
type Role = 'annotator' | 'reviewer' | 'operator'

/** What runs here: people, organisations by name and count, jobs. Nothing of what customers have stored. */
export default function OperatorPage() {
  const { data, error, reload } = useApi<Overview>('/operator/overview', { poll: 10_000, org: null })
  const [query, setQuery] = useQuery()
  useTitle(t('operator.title'))
  return (
    <div className="eh-operator">
      <header className="eh-operator-top">
        <Brand small />
        <span className="eh-muted">{t('operator.title')}</span>
        <span className="eh-grow" />
        <AccountMenu compact />
      </header>
      <main className="eh-page eh-operator-page">
        <div className="eh-page-head">
          <h1>{t('operator.title')}</h1>
          <Button look="primary" icon="plus" onClick={() => setQuery({ invite: '1' })}>
            {t('operator.invite')}
          </Button>
        </div>
        <p className="eh-muted">{t('operator.text')}</p>
        {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
        {!data && !error ? <Skeleton lines={6} /> : null}
        {data ? (
          <>
            <section className="eh-stack-2">
              <h2>{t('operator.jobs')}</h2>
              <Jobs jobs={data.jobs} />
            </section>
            <section className="eh-stack-2">
              <h2>{t('operator.orgs')}</h2>
              <Table
                label={t('operator.orgs')}
                rows={data.orgs}
                rowKey={(org) => org.id}
                columns={[
                  {
                    key: 'name',
                    title: t('operator.org'),
                    cell: (org) => (
                      <>
                        <strong>{org.name}</strong> {org.mode === 'test' ? <Badge look="warn">{t('console.mode.test')}</Badge> : null}
                      </>
                    ),
                  },
                  { key: 'members', title: t('operator.members'), number: true, cell: (org) => formatNumber(org.members) },
                  { key: 'waiting', title: t('operator.waiting'), number: true, cell: (org) => formatNumber(org.waiting) },
                ]}
              />
            </section>
            <section className="eh-stack-2">
              <h2>{t('operator.people')}</h2>
              <Table
                label={t('operator.people')}
                rows={data.people}
                rowKey={(person) => person.id}
                columns={[
                  { key: 'name', title: t('operator.name'), cell: (person) => <strong>{person.name || person.email}</strong> },
                  { key: 'email', title: t('signin.email'), cell: (person) => person.email },
                  { key: 'state', title: t('operator.state'), tight: true, cell: (person) => <Badge look={person.state === 'active' ? 'ok' : 'warn'}>{person.state}</Badge> },
                ]}
              />
            </section>
          </>
        ) : null}
        <Invite open={query.get('invite') === '1'} onClose={() => setQuery({ invite: null }, { replace: true })} orgs={data?.orgs ?? []} />
      </main>
    </div>
  )
}

const jobNames: Record<string, MessageKey> = {
  waiting: 'operator.job.waiting',
  running: 'operator.job.running',
  failed: 'operator.job.failed',
  dead: 'operator.job.dead',
  done: 'operator.job.done',
  oldest_s: 'operator.job.oldest',
}

function Jobs({ jobs }: { jobs: Record<string, unknown> }) {
  return (
    <dl className="eh-card eh-jobs">
      {Object.entries(jobs)
        .filter(([, value]) => typeof value !== 'object' || value === null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{jobNames[name] ? t(jobNames[name]) : name.replaceAll('_', ' ')}</dt>
            <dd>{typeof value === 'number' ? formatNumber(value) : typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? formatAgo(value) : String(value ?? '–')}</dd>
          </div>
        ))}
    </dl>
  )
}

function Invite({ open, onClose, orgs }: { open: boolean; onClose: () => void; orgs: Overview['orgs'] }) {
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('annotator')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [link, setLink] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const close = () => {
    setLink(null)
    setEmail('')
    setError(null)
    onClose()
  }
  const invite = async () => {
    setBusy(true)
    setError(null)
    try {
      const body = { email: email.trim(), role, ...(role !== 'operator' && chosen.size ? { orgs: [...chosen] } : {}) }
      setLink((await api.post<{ link: string }>('/operator/people/invite', body, { key: newKey(), org: null })).link)
      refresh('/operator')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const valid = /.@./.test(email)
  return (
    <Dialog
      open={open}
      onClose={close}
      title={t('operator.invite')}
      onSubmit={() => void (link ? close() : valid ? invite() : undefined)}
      foot={
        link ? (
          <Button type="submit" look="primary">
            {t('ui.close')}
          </Button>
        ) : (
          <>
            <Button onClick={close}>{t('ui.cancel')}</Button>
            <Button type="submit" look="primary" busy={busy} disabled={!valid}>
              {t('operator.make-link')}
            </Button>
          </>
        )
      }
    >
      {link ? (
        <>
          <p>{t('operator.link', { email })}</p>
          <CopyText text={new URL(link, location.origin).href} label={t('operator.link-label')} />
        </>
      ) : (
        <>
          <TextField label={t('signin.email')} type="email" value={email} onText={setEmail} required />
          <SelectField<Role>
            label={t('operator.role')}
            value={role}
            options={(['annotator', 'reviewer', 'operator'] as const).map((value) => ({ value, label: t(`operator.role.${value}`) }))}
            onValue={setRole}
          />
          {role === 'operator' ? null : (
            <FieldGroup label={t('operator.for-orgs')} hint={t('operator.for-orgs.hint')}>
              {orgs.map((org) => (
                <Checkbox
                  key={org.id}
                  label={org.mode === 'test' ? `${org.name} · ${t('console.mode.test')}` : org.name}
                  checked={chosen.has(org.id)}
                  onChecked={(on) => {
                    const next = new Set(chosen)
                    if (on) next.add(org.id)
                    else next.delete(org.id)
                    setChosen(next)
                  }}
                />
              ))}
            </FieldGroup>
          )}
        </>
      )}
      <ErrorNote error={error} />
    </Dialog>
  )
}
