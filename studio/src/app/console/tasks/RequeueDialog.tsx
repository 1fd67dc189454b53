import { useEffect, useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { SelectField, TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import type { List, Project, Seat } from '../types'
import { dayEnd, dayStart, type Filter } from './filters'

type Found = { matched: number; requeued: number }

/** All work of a person, a time or a class goes back to the queue; the count is shown before anything happens. */
export function RequeueDialog({ open, onClose, project, filter, onDone }: { open: boolean; onClose: () => void; project: Project; filter: Filter; onDone: () => void }) {
  const [choice, setChoice] = useState({ person: '', class: '', from: '', to: '' })
  const [found, setFound] = useState<Found | null>(null)
  const seats = useApi<List<Seat>>(open ? `/projects/${project.id}/seats` : null)
  useEffect(() => {
    if (open) setChoice({ person: filter.person ?? '', class: filter.class ?? '', from: filter.from ?? '', to: filter.to ?? '' })
    setFound(null)
  }, [open])
  const some = Object.values(choice).some(Boolean)
  const change = (part: Partial<typeof choice>) => {
    setChoice({ ...choice, ...part })
    setFound(null)
  }
  const run = async (dry: boolean) => {
    const body = {
      project: project.id,
      ...(choice.person ? { person: choice.person } : {}),
      ...(choice.class ? { class: choice.class } : {}),
      ...(choice.from ? { from: dayStart(choice.from) } : {}),
      ...(choice.to ? { to: dayEnd(choice.to) } : {}),
      dry_run: dry,
    }
    const result = await api.post<Found>('/tasks/requeue', body, { key: newKey() })
    if (dry) return setFound(result)
    toast(t('console.requeue.done', { count: result.requeued }), 'ok')
    refresh(`/projects/${project.id}`)
    onDone()
    onClose()
  }
  const people = new Map((seats.data?.items ?? []).map((seat) => [seat.person, seat.name]))
  const any = { value: '', label: t('console.filter.any') }
  return (
    <FormDialog
      open={open}
      onClose={onClose}
      title={t('console.requeue.title')}
      verb={found ? t('console.requeue.go', { count: found.matched }) : t('console.requeue.count')}
      act={() => run(found === null)}
      ready={some && found?.matched !== 0}
    >
      <p className="eh-muted">{t('console.requeue.text')}</p>
      <div className="eh-two">
        <SelectField label={t('console.filter.person')} value={choice.person} options={[any, ...[...people].map(([value, label]) => ({ value, label }))]} onValue={(person) => change({ person })} />
        <SelectField label={t('console.filter.class')} value={choice.class} options={[any, ...project.ontology.classes.map((item) => ({ value: item.name, label: item.title ?? item.name }))]} onValue={(name) => change({ class: name })} />
        <TextField label={t('console.filter.from')} type="date" value={choice.from} onText={(from) => change({ from })} />
        <TextField label={t('console.filter.to')} type="date" value={choice.to} onText={(until) => change({ to: until })} />
      </div>
      <div role="status">{found ? <strong>{t('console.requeue.found', { count: found.matched })}</strong> : some ? null : <span className="eh-muted">{t('console.requeue.choose')}</span>}</div>
    </FormDialog>
  )
}
