import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Checkbox } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { toast } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import type { List, Member, Project, Seat } from '../types'

/** Who may label and who may review in this project. */
export function Seats({ project, writes }: { project: Project; writes: boolean }) {
  const seats = useApi<List<Seat>>(`/projects/${project.id}/seats`)
  const members = useApi<List<Member>>('/members', { query: { limit: 200 } })
  return (
    <section className="eh-card eh-stack">
      <h2>{t('console.seats')}</h2>
      <p className="eh-muted">{t('console.seats.text')}</p>
      {seats.error && !seats.data ? <ErrorNote error={seats.error} retry={seats.reload} /> : null}
      {seats.data && members.data ? (
        <SeatTable key={JSON.stringify(seats.data.items)} project={project} seats={seats.data.items} members={members.data.items} writes={writes} />
      ) : seats.error ? null : (
        <Skeleton />
      )}
    </section>
  )
}

function SeatTable({ project, seats, members, writes }: { project: Project; seats: readonly Seat[]; members: readonly Member[]; writes: boolean }) {
  const [chosen, setChosen] = useState(() => new Set(seats.map((seat) => `${seat.role} ${seat.person}`)))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const people = new Map<string, string>()
  for (const seat of seats) people.set(seat.person, seat.name)
  for (const member of members) if (member.state === 'active') people.set(member.person, member.name || member.email)
  const rows = [...people].map(([person, name]) => ({ person, name }))
  const before = new Set(seats.map((seat) => `${seat.role} ${seat.person}`))
  const changed = before.size !== chosen.size || [...chosen].some((key) => !before.has(key))
  const toggle = (key: string, on: boolean) => {
    const next = new Set(chosen)
    if (on) next.add(key)
    else next.delete(key)
    setChosen(next)
  }
  const save = async () => {
    setBusy(true)
    setError(null)
    const items = [...chosen].map((key) => {
      const [role, person] = key.split(' ')
      return { person, role }
    })
    try {
      await api.put(`/projects/${project.id}/seats`, { items })
      refresh(`/projects/${project.id}/seats`)
      toast(t('console.seats.saved'), 'ok')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const box = (role: Seat['role'], row: { person: string; name: string }) => (
    <Checkbox
      label={<span className="eh-sr">{t(`console.seats.${role}-for`, { name: row.name })}</span>}
      checked={chosen.has(`${role} ${row.person}`)}
      disabled={!writes}
      onChecked={(on) => toggle(`${role} ${row.person}`, on)}
    />
  )
  return (
    <>
      <Table
        label={t('console.seats')}
        rows={rows}
        rowKey={(row) => row.person}
        columns={[
          { key: 'name', title: t('console.person'), cell: (row) => row.name },
          { key: 'label', title: t('console.seats.label'), tight: true, cell: (row) => box('label', row) },
          { key: 'review', title: t('console.seats.review'), tight: true, cell: (row) => box('review', row) },
        ]}
      />
      <ErrorNote error={error} />
      {writes ? (
        <div>
          <Button look="primary" busy={busy} disabled={!changed} onClick={() => void save()}>
            {t('console.seats.save')}
          </Button>
        </div>
      ) : null}
    </>
  )
}
