import { useState } from 'react'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { formatNumber, t } from '../../ui/messages'
import { useQuery } from '../../ui/router'
import { Skeleton } from '../../ui/Skeleton'
import { Table } from '../../ui/Table'
import { useApi } from '../../ui/useApi'
import { PageTop } from '../shell/PageTop'
import { useTitle } from '../shell/useTitle'
import { AccessSection } from './AccessSection'
import { ContractsSection } from './ContractsSection'
import { InviteDialog } from './InviteDialog'
import { ResetDialog } from './ResetDialog'
import { SessionsDialog } from './SessionsDialog'
import type { OperatorOrg, OperatorPerson, Overview } from './types'
import './Operator.css'

/** What runs here: people, organisations by name and count, jobs. Nothing of what customers have stored. */
export default function OperatorPage() {
  const { data, error, reload } = useApi<Overview>('/operator/overview', { poll: 10_000, org: null })
  const [query, setQuery] = useQuery()
  useTitle(t('operator.title'))
  return (
    <div className="eh-operator">
      <PageTop title={t('operator.title')} />
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
            <Jobs jobs={data.jobs} />
            <Orgs orgs={data.orgs} />
            <People people={data.people} />
            <AccessSection orgs={data.orgs} />
            <ContractsSection orgs={data.orgs} />
          </>
        ) : null}
        <InviteDialog open={query.get('invite') === '1'} onClose={() => setQuery({ invite: null }, { replace: true })} orgs={data?.orgs ?? []} />
      </main>
    </div>
  )
}

function Jobs({ jobs }: { jobs: Overview['jobs'] }) {
  return (
    <section className="eh-stack-2">
      <h2>{t('operator.jobs')}</h2>
      <dl className="eh-card eh-jobs">
        {(['ready', 'running', 'dead'] as const).map((state) => (
          <div key={state}>
            <dt>{t(`operator.job.${state}`)}</dt>
            <dd>{formatNumber(jobs[state])}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function Orgs({ orgs }: { orgs: readonly OperatorOrg[] }) {
  return (
    <section className="eh-stack-2">
      <h2>{t('operator.orgs')}</h2>
      <Table
        label={t('operator.orgs')}
        rows={orgs}
        rowKey={(org) => org.id}
        columns={[
          { key: 'name', title: t('operator.org'), cell: (org) => <strong className="eh-break">{org.name}</strong> },
          { key: 'members', title: t('operator.members'), number: true, cell: (org) => formatNumber(org.members) },
          { key: 'waiting', title: t('operator.waiting'), number: true, cell: (org) => formatNumber(org.waiting) },
        ]}
      />
    </section>
  )
}

function People({ people }: { people: readonly OperatorPerson[] }) {
  const [resetting, setResetting] = useState<OperatorPerson | null>(null)
  const [looking, setLooking] = useState<OperatorPerson | null>(null)
  return (
    <section className="eh-stack-2">
      <h2>{t('operator.people')}</h2>
      <Table
        label={t('operator.people')}
        rows={people}
        rowKey={(person) => person.id}
        columns={[
          {
            key: 'name',
            title: t('operator.name'),
            cell: (person) => (
              <>
                <strong className="eh-break">{person.name || person.email}</strong> {person.operator ? <Badge>{t('operator.role.operator')}</Badge> : null}
                {person.director ? <Badge>{t('operator.role.director')}</Badge> : null}
              </>
            ),
          },
          { key: 'email', title: t('signin.email'), wideOnly: true, cell: (person) => person.email },
          { key: 'state', title: t('operator.state'), tight: true, cell: (person) => <Badge look={person.state === 'active' ? 'ok' : 'warn'}>{t(`operator.state.${person.state}`)}</Badge> },
          {
            key: 'do',
            title: t('ui.more'),
            hideTitle: true,
            tight: true,
            cell: (person) =>
              person.state === 'active' ? (
                <span className="eh-operator-acts">
                  <Button small look="quiet" onClick={() => setLooking(person)} aria-label={t('operator.sessions.for', { name: person.name || person.email })}>
                    {t('operator.sessions')}
                  </Button>
                  <Button small look="quiet" onClick={() => setResetting(person)} aria-label={t('operator.reset.for', { name: person.name || person.email })}>
                    {t('operator.reset')}
                  </Button>
                </span>
              ) : null,
          },
        ]}
      />
      {looking ? <SessionsDialog person={looking} onClose={() => setLooking(null)} /> : null}
      {resetting ? <ResetDialog person={resetting} onClose={() => setResetting(null)} /> : null}
    </section>
  )
}
