import { useEffect, useState } from 'react'
import { Button, buttonClass } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { SelectField, TextField } from '../../../ui/Field'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuItem, MenuLine } from '../../../ui/Menu'
import { t } from '../../../ui/messages'
import { navigate, useQuery } from '../../../ui/router'
import { useApi } from '../../../ui/useApi'
import { to } from '../paths'
import { taskStates, type Batch, type List, type Project, type Seat } from '../types'
import { filterNames, isFiltered, savedViews, saveViews, type Filter, type FilterName } from './filters'
import { columnNames, type ColumnName } from './useColumns'

type Props = {
  project: Project
  filter: Filter
  total: number | null
  columns: ReadonlySet<ColumnName>
  onColumn: (name: ColumnName) => void
  onRequeue: (() => void) | null
}

export function FilterBar({ project, filter, total, columns, onColumn, onRequeue }: Props) {
  const [, setQuery] = useQuery()
  const [typed, setTyped] = useState(filter.q ?? '')
  const [more, setMore] = useState(false)
  const batches = useApi<List<Batch>>(`/projects/${project.id}/batches`, { query: { limit: 200 } })
  const seats = useApi<List<Seat>>(`/projects/${project.id}/seats`)
  useEffect(() => setTyped(filter.q ?? ''), [filter.q])
  useEffect(() => {
    if (typed === (filter.q ?? '')) return
    const timer = setTimeout(() => setQuery({ q: typed || null }, { replace: true }), 120)
    return () => clearTimeout(timer)
  }, [typed, filter.q, setQuery])

  const name = (key: FilterName, value: string): string => {
    if (key === 'state') return t(`console.state.${value as (typeof taskStates)[number]}`)
    if (key === 'batch') return batches.data?.items.find((batch) => batch.id === value)?.name ?? value
    if (key === 'person') return seats.data?.items.find((seat) => seat.person === value)?.name ?? value
    return value
  }
  const chips = filterNames.filter((key) => key !== 'q' && key !== 'order' && filter[key])
  return (
    <div className="eh-filters" role="search" aria-label={t('console.tasks.search')}>
      <div className="eh-filter-search">
        <Icon name="search" />
        <input type="search" className="eh-input" aria-label={t('console.tasks.search')} placeholder={t('console.tasks.search-hint')} value={typed} onChange={(event) => setTyped(event.target.value)} />
      </div>
      <select className="eh-input" aria-label={t('console.state')} value={filter.state ?? ''} onChange={(event) => setQuery({ state: event.target.value || null })}>
        <option value="">{t('console.filter.any-state')}</option>
        {taskStates.map((state) => (
          <option key={state} value={state}>
            {t(`console.state.${state}`)}
          </option>
        ))}
      </select>
      <Button icon="filter" onClick={() => setMore(true)}>
        {t('console.filter')}
      </Button>
      <ViewMenu project={project} filter={filter} />
      <Menu
        button={
          <button type="button" className={buttonClass('quiet', false, true)} aria-label={t('ui.more')}>
            <Icon name="more" />
          </button>
        }
      >
        <MenuItem icon="sort" onSelect={() => setQuery({ order: filter.order === 'oldest' ? null : 'oldest' })}>
          {t(filter.order === 'oldest' ? 'console.order.newest' : 'console.order.oldest')}
        </MenuItem>
        {onRequeue ? (
          <MenuItem icon="undo" onSelect={onRequeue}>
            {t('console.requeue.title')}
          </MenuItem>
        ) : null}
        <MenuLine />
        {columnNames.map((column) => (
          <MenuItem key={column} onSelect={() => onColumn(column)}>
            {t(columns.has(column) ? 'console.column.hide' : 'console.column.show', { name: t(`console.column.${column}`) })}
          </MenuItem>
        ))}
      </Menu>
      <span className="eh-filter-count" role="status">
        {total === null ? '…' : t('console.tasks.count', { count: total })}
      </span>
      {chips.length ? (
        <div className="eh-chips">
          {chips.map((key) => (
            <span key={key} className="eh-chip">
              {t(`console.filter.${key as Exclude<FilterName, 'q' | 'order'>}`)}: {name(key, filter[key] ?? '')}
              <button type="button" aria-label={t('console.filter.remove', { name: t(`console.filter.${key as Exclude<FilterName, 'q' | 'order'>}`) })} onClick={() => setQuery({ [key]: null })}>
                <Icon name="close" size={12} />
              </button>
            </span>
          ))}
          <Button small look="quiet" onClick={() => setQuery(Object.fromEntries(filterNames.map((key) => [key, null])))}>
            {t('console.filter.clear')}
          </Button>
        </div>
      ) : null}
      <FilterDialog open={more} onClose={() => setMore(false)} project={project} filter={filter} batches={batches.data?.items ?? []} seats={seats.data?.items ?? []} />
    </div>
  )
}

function FilterDialog({ open, onClose, project, filter, batches, seats }: {
  open: boolean
  onClose: () => void
  project: Project
  filter: Filter
  batches: readonly Batch[]
  seats: readonly Seat[]
}) {
  const [, setQuery] = useQuery()
  const any = { value: '', label: t('console.filter.any') }
  const set = (name: FilterName) => (value: string) => setQuery({ [name]: value || null }, { replace: true })
  const people = new Map(seats.map((seat) => [seat.person, seat.name]))
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t('console.filter')}
      onSubmit={onClose}
      foot={
        <>
          <Button onClick={() => setQuery(Object.fromEntries(filterNames.map((key) => [key, null])))}>{t('console.filter.clear')}</Button>
          <Button type="submit" look="primary">
            {t('console.filter.show')}
          </Button>
        </>
      }
    >
      <div className="eh-two">
        <SelectField label={t('console.filter.batch')} value={filter.batch ?? ''} options={[any, ...batches.map((batch) => ({ value: batch.id, label: batch.name }))]} onValue={set('batch')} />
        <SelectField label={t('console.filter.person')} value={filter.person ?? ''} options={[any, ...[...people].map(([value, label]) => ({ value, label }))]} onValue={set('person')} />
        <SelectField label={t('console.filter.class')} value={filter.class ?? ''} options={[any, ...project.ontology.classes.map((item) => ({ value: item.name, label: item.title ?? item.name }))]} onValue={set('class')} />
        <TextField label={t('console.filter.tag')} value={filter.tag ?? ''} onText={set('tag')} />
        <TextField label={t('console.filter.from')} type="date" value={filter.from ?? ''} onText={set('from')} />
        <TextField label={t('console.filter.to')} type="date" value={filter.to ?? ''} onText={set('to')} />
      </div>
    </Dialog>
  )
}

/** Views: filters with a name. The name is kept here, the filter is in the address. */
function ViewMenu({ project, filter }: { project: Project; filter: Filter }) {
  const [views, setViews] = useState(() => savedViews(project.id))
  const [naming, setNaming] = useState(false)
  const [name, setName] = useState('')
  const keep = (next: typeof views) => {
    setViews(next)
    saveViews(project.id, next)
  }
  const query = new URLSearchParams(filter as Record<string, string>).toString()
  const current = views.find((view) => view.query === query)
  return (
    <>
      <Menu
        label={t('console.views')}
        button={
          <button type="button" className={buttonClass('quiet')}>
            {current ? current.name : t('console.views')}
            <Icon name="chevron" />
          </button>
        }
      >
        <MenuItem onSelect={() => navigate(to.project(project.id, 'tasks'))}>{t('console.views.all')}</MenuItem>
        <MenuItem onSelect={() => navigate(to.tasks(project.id, { state: 'review' }))}>{t('console.views.review')}</MenuItem>
        <MenuItem onSelect={() => navigate(to.tasks(project.id, { state: 'error' }))}>{t('console.views.errors')}</MenuItem>
        {views.length ? <MenuLine /> : null}
        {views.map((view) => (
          <MenuItem key={view.name} onSelect={() => navigate(`${to.project(project.id, 'tasks')}?${view.query}`)}>
            {view.name}
          </MenuItem>
        ))}
        <MenuLine />
        {current ? (
          <MenuItem danger icon="trash" onSelect={() => keep(views.filter((view) => view !== current))}>
            {t('console.views.remove', { name: current.name })}
          </MenuItem>
        ) : (
          <MenuItem icon="plus" disabled={!isFiltered(filter)} hint={isFiltered(filter) ? undefined : t('console.views.save.hint')} onSelect={() => setNaming(true)}>
            {t('console.views.save')}
          </MenuItem>
        )}
      </Menu>
      <Dialog
        open={naming}
        onClose={() => setNaming(false)}
        title={t('console.views.save')}
        onSubmit={() => {
          if (!name.trim()) return
          keep([...views.filter((view) => view.name !== name.trim()), { name: name.trim(), query }])
          setNaming(false)
          setName('')
        }}
        foot={
          <>
            <Button onClick={() => setNaming(false)}>{t('ui.cancel')}</Button>
            <Button type="submit" look="primary" disabled={!name.trim()}>
              {t('ui.save')}
            </Button>
          </>
        }
      >
        <TextField label={t('console.views.name')} value={name} onText={setName} maxLength={60} />
      </Dialog>
    </>
  )
}
