import { useEffect, useState } from 'react'
import { Button, buttonClass } from '../../../ui/Button'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuItem, MenuLine } from '../../../ui/Menu'
import { t } from '../../../ui/messages'
import { useQuery } from '../../../ui/router'
import { useApi } from '../../../ui/useApi'
import { taskStates, type Batch, type List, type Project, type Seat } from '../types'
import { FilterDialog } from './FilterDialog'
import { filterNames, type Filter, type FilterName } from './filters'
import { columnNames, type ColumnName } from './useColumns'
import { ViewMenu } from './ViewMenu'

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
