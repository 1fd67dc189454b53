import { useState } from 'react'
import { Button } from '../../../ui/Button'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Checkbox } from '../../../ui/Field'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { Table, type Column } from '../../../ui/Table'
import { Tabs } from '../../../ui/Tabs'
import { useApi } from '../../../ui/useApi'
import { detailText, factText, looksText } from '../facts'
import type { List, Member, Project } from '../types'
import { gathered, type Line } from './gather'
import { groups, type Group } from './types'
import { useLive } from './useLive'

/** Who did what, newest first and as it happens. What is shown stands in the address. */
export function Events() {
  const [query, setQuery] = useQuery()
  const [live, setLive] = useState(true)
  const asked = query.get('show') ?? ''
  const group: Group = groups.find((one) => one === asked) ?? 'all'
  return (
    <section>
      <div className="eh-trust-bar">
        <Checkbox label={t('console.trust.live')} hint={t('console.trust.live.hint')} checked={live} onChecked={setLive} />
      </div>
      <Tabs
        label={t('console.trust.group')}
        items={groups.map((id) => ({ id, label: t(`console.trust.group.${id}`) }))}
        value={group}
        onValue={(id) => setQuery({ show: id === 'all' ? null : id }, { replace: true })}
      >
        {() => <EventList key={group} group={group} live={live} />}
      </Tabs>
    </section>
  )
}

function EventList({ group, live }: { group: Group; live: boolean }) {
  const [files, setFiles] = useState(group === 'access')
  const { items, loading, error, reload, more, busy } = useLive(group, files, live)
  const names = useNames()
  return (
    <div className="eh-trust-events">
      {group === 'all' || group === 'access' ? <Checkbox label={t('console.trust.files')} checked={files} onChecked={setFiles} /> : null}
      <ErrorNote error={error} retry={reload} />
      {loading ? <Skeleton lines={8} height={24} /> : null}
      {!loading && !error && !items.length ? <EmptyState icon="log" title={t('console.trust.none')} text={t('console.trust.none.text')} /> : null}
      {items.length ? <Table label={t('console.trust')} rows={gathered(items)} rowKey={(line) => line.id} columns={columns(names)} /> : null}
      {more ? (
        <div>
          <Button busy={busy} onClick={more}>
            {t('console.trust.older')}
          </Button>
        </div>
      ) : null}
    </div>
  )
}

/** Projects and people by the names that they have here. */
function useNames(): ReadonlyMap<string, string> {
  const projects = useApi<List<Project>>('/projects', { query: { limit: 200 } })
  const members = useApi<List<Member>>('/members', { query: { limit: 200 } })
  const names = new Map<string, string>()
  for (const project of projects.data?.items ?? []) names.set(project.id, project.name)
  for (const member of members.data?.items ?? []) names.set(member.person, member.name || member.email)
  return names
}

function columns(names: ReadonlyMap<string, string>): Column<Line>[] {
  return [
    { key: 'at', title: t('console.when'), tight: true, cell: (item) => <time dateTime={item.at} title={formatDate(item.at, 'full')}>{formatDate(item.at)}</time> },
    { key: 'who', title: t('console.who'), tight: true, wideOnly: true, cell: (item) => <span className="eh-trust-about">{item.who}</span> },
    { key: 'what', title: t('console.what'), cell: (item) => <What item={item} /> },
    { key: 'about', title: t('console.about'), tight: true, cell: (item) => <About id={item.about ?? ''} names={names} />, wideOnly: true },
    { key: 'counter', title: t('console.trust.number'), tight: true, number: true, wideOnly: true, cell: (item) => <Counter item={item} /> },
  ]
}

/** The place in this customer's part of the log; of several events, the first and the last. */
function Counter({ item }: { item: Line }) {
  if (item.counter === null) return <span className="eh-muted">{t('console.trust.number.waits')}</span>
  const last = formatNumber(item.counter)
  return <>{item.first !== null && item.first !== item.counter ? t('console.trust.number.range', { first: formatNumber(item.first), last }) : last}</>
}

function What({ item }: { item: Line }) {
  const detail = item.looks.length ? looksText(item.looks) : detailText(item.detail)
  return (
    <>
      <strong className="eh-trust-who">{item.who} </strong>
      {factText(item.what)}
      {detail ? <span className="eh-trust-detail eh-break">{detail}</span> : null}
    </>
  )
}

/** By name where it has one here; the end of its id otherwise, and all of it to whoever points at it. */
function About({ id, names }: { id: string; names: ReadonlyMap<string, string> }) {
  const name = names.get(id)
  if (name || !/^[0-9a-f]{24}$/.test(id)) return <span className={name ? 'eh-trust-about' : 'eh-trust-about eh-muted'}>{name ?? id}</span>
  return (
    <span className="eh-mono eh-muted" title={id}>
      …{id.slice(-8)}
    </span>
  )
}
