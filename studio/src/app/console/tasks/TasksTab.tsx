import { useEffect, useMemo, useRef, useState } from 'react'
import { ErrorNote } from '../../../ui/ErrorNote'
import { EmptyState } from '../../../ui/EmptyState'
import { Icon } from '../../../ui/Icon'
import { Button } from '../../../ui/Button'
import { t } from '../../../ui/messages'
import { Link, useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { useCommands } from '../../shell/commands'
import { mayWrite, useSignedIn } from '../../shell/session'
import { to } from '../paths'
import type { Project } from '../types'
import { BulkBar } from './BulkBar'
import { FilterBar } from './FilterBar'
import { apiFilter, filterNames, filterOf, isFiltered } from './filters'
import { RequeueDialog } from './RequeueDialog'
import { TaskGrid } from './TaskGrid'
import { TaskPanel } from './TaskPanel'
import { useColumns } from './useColumns'
import { useTaskPages } from './useTaskPages'
import './Tasks.css'

/** The task browser: filter, list, and one task beside it. All of it is in the address. */
export function TasksTab({ project }: { project: Project }) {
  const [query, setQuery] = useQuery()
  const { org } = useSignedIn()
  const filter = useMemo(() => filterOf(query), [query])
  const pages = useTaskPages(useMemo(() => apiFilter(filter, project.id), [filter, project.id]))
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [requeue, setRequeue] = useState(false)
  const [columns, toggleColumn] = useColumns()
  const opened = query.get('task')
  const writes = mayWrite(org)
  const filterKey = JSON.stringify(filter)
  useEffect(() => setSelected(new Set()), [filterKey])

  const latest = useRef({ pages, opened })
  latest.current = { pages, opened }
  useCommands(
    useMemo(() => {
      const step = (by: number) => {
        const { pages: list, opened: now } = latest.current
        const at = list.indexOf(now)
        const next = at < 0 ? undefined : list.at(at + by)
        if (next) setQuery({ task: next.id }, { replace: true })
      }
      const group = t('console.tab.tasks')
      return [
        { id: 'task-next', label: t('console.tasks.next'), group, keys: 'J', icon: 'down' as const, run: () => step(1) },
        { id: 'task-previous', label: t('console.tasks.previous'), group, keys: 'K', icon: 'up' as const, run: () => step(-1) },
        { id: 'task-search', label: t('console.tasks.search'), group, keys: '/', icon: 'search' as const, run: () => document.querySelector<HTMLElement>('.eh-filters input[type=search]')?.focus() },
        ...(writes ? [{ id: 'requeue', label: t('console.requeue.title'), group, icon: 'undo' as const, run: () => setRequeue(true) }] : []),
      ]
    }, [setQuery, writes]),
  )

  const empty = pages.total === 0
  return (
    <div className={opened ? 'eh-tasks eh-tasks-split' : 'eh-tasks'}>
      <div className="eh-tasks-list">
        <FilterBar project={project} filter={filter} total={pages.total} columns={columns} onColumn={toggleColumn} onRequeue={writes ? () => setRequeue(true) : null} />
        {selected.size ? <BulkBar project={project} selected={selected} onClear={() => setSelected(new Set())} onDone={pages.reload} /> : null}
        {pages.error ? <ErrorNote error={pages.error} retry={pages.reload} /> : null}
        {empty ? (
          isFiltered(filter) ? (
            <EmptyState
              icon="filter"
              title={t('console.tasks.no-match')}
              text={t('console.tasks.no-match.text')}
              action={<Button onClick={() => setQuery(Object.fromEntries(filterNames.map((name) => [name, null])))}>{t('console.filter.clear')}</Button>}
            />
          ) : (
            <EmptyState
              icon="upload"
              title={t('console.tasks.none')}
              text={t('console.tasks.none.text')}
              action={
                <Link className="eh-button eh-button-primary" to={`${to.project(project.id, 'tasks')}?import=1`}>
                  <Icon name="upload" />
                  {t('console.import')}
                </Link>
              }
              example={{ label: t('console.tasks.none.example'), code: `evenhand task import --project "${project.name}" tasks.jsonl` }}
            />
          )
        ) : pages.total === null ? (
          pages.error ? null : <Skeleton lines={10} height={30} />
        ) : (
          <TaskGrid
            key={filterKey}
            pages={pages}
            columns={columns}
            opened={opened}
            onOpen={(id) => setQuery({ task: id }, { replace: opened !== null })}
            selected={selected}
            onSelected={writes ? setSelected : null}
          />
        )}
      </div>
      {opened ? <TaskPanel key={opened} id={opened} project={project} onClose={() => setQuery({ task: null, view: null })} onChanged={pages.reload} /> : null}
      {writes ? <RequeueDialog open={requeue} onClose={() => setRequeue(false)} project={project} filter={filter} onDone={pages.reload} /> : null}
    </div>
  )
}
