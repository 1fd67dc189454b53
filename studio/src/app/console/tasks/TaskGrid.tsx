import { useEffect, useLayoutEffect, useRef, useState, type Dispatch, type KeyboardEvent, type MouseEvent, type RefObject, type SetStateAction } from 'react'
import { t } from '../../../ui/messages'
import { toast, toastError } from '../../../ui/Toast'
import { bodyHeight, ROW, scrollTo, viewOf, type View } from './gridView'
import { TaskRowView } from './TaskRowView'
import { columnNames, type ColumnName } from './useColumns'
import type { TaskPages } from './useTaskPages'

/** Each selected task is asked for by itself: more than these are work for "Requeue work". */
const SELECT_MOST = 2_000

type Props = {
  pages: TaskPages
  columns: ReadonlySet<ColumnName>
  opened: string | null
  onOpen: (id: string) => void
  selected: ReadonlySet<string>
  onSelected: Dispatch<SetStateAction<ReadonlySet<string>>> | null
}

/** Only the rows on screen exist, but the scroll bar is as long as the list. The grid itself keeps the focus and names the active row. */
export function TaskGrid({ pages, columns, opened, onOpen, selected, onSelected }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const count = pages.total ?? 0
  const view = useView(box, count)
  const [active, setActive] = useState(() => Math.max(0, pages.indexOf(opened)))
  const anchor = useRef(0)
  const { see } = pages
  useEffect(() => see(view.first, view.last), [see, view])
  // The open task is the active one, also when it was changed from elsewhere (J, K, the address).
  useEffect(() => {
    const at = pages.indexOf(opened)
    if (at < 0) return
    setActive(at)
    reveal(box.current, at, count)
  }, [opened])

  const go = (at: number) => {
    const next = Math.max(0, Math.min(count - 1, at))
    setActive(next)
    reveal(box.current, next, count)
    const row = pages.at(next)
    if (opened && row) onOpen(row.id)
  }
  const select = async (first: number, last: number) => {
    if (!onSelected) return
    if (last - first >= SELECT_MOST) toast(t('console.tasks.select-most', { count: SELECT_MOST }))
    const rows = await pages.range(first, Math.min(last, first + SELECT_MOST - 1))
    onSelected((old) => new Set([...old, ...rows.map((row) => row.id)]))
  }
  const toggle = (at: number, range: boolean) => {
    const row = pages.at(at)
    if (!onSelected) return
    if (range) void select(Math.min(anchor.current, at), Math.max(anchor.current, at)).catch(toastError)
    else if (row) {
      const next = new Set(selected)
      if (!next.delete(row.id)) next.add(row.id)
      onSelected(next)
    }
    anchor.current = at
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.target !== box.current || event.altKey || event.metaKey) return
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / ROW) - 2)
    const moves: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: count - 1 }
    const target = moves[event.key]
    const row = pages.at(active)
    if (target !== undefined) {
      if (event.shiftKey) toggle(Math.max(0, Math.min(count - 1, target)), true)
      go(target)
    } else if (event.key === 'Enter' && row) onOpen(row.id)
    else if (event.key === ' ' || event.key === 'x') toggle(active, event.shiftKey)
    else if (event.key.toLowerCase() === 'a' && event.ctrlKey) void select(0, count - 1).catch(toastError)
    else return
    event.preventDefault()
  }
  const click = (at: number, id: string) => (event: MouseEvent) => {
    setActive(at)
    if ((event.target as Element).closest('.eh-grid-check')) toggle(at, event.shiftKey)
    else onOpen(id)
  }
  const shown = columnNames.filter((name) => columns.has(name))
  const indexes = Array.from({ length: Math.max(0, view.last - view.first) }, (_, offset) => view.first + offset)
  return (
    <div
      ref={box}
      className="eh-grid"
      role="grid"
      aria-label={t('console.tab.tasks')}
      aria-rowcount={pages.total === null ? -1 : count + 1}
      aria-multiselectable={onSelected !== null}
      aria-activedescendant={pages.at(active) && active >= view.first && active < view.last ? `task-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKey}
    >
      <GridHead shown={shown} selects={onSelected !== null} />
      <div role="rowgroup" className="eh-grid-body" style={{ height: bodyHeight(count) }}>
        {indexes.map((at) => {
          const row = pages.at(at)
          const top = at * ROW + view.shift
          return row ? (
            <TaskRowView key={row.id} row={row} at={at} top={top} shown={shown} opened={row.id === opened} active={at === active} selected={onSelected ? selected.has(row.id) : null} onClick={click(at, row.id)} />
          ) : (
            <div key={at} className="eh-grid-row" aria-hidden="true" style={{ transform: `translateY(${top}px)` }}>
              <span className="eh-skeleton eh-grid-wait" />
            </div>
          )
        })}
      </div>
    </div>
  )
}

function GridHead({ shown, selects }: { shown: readonly ColumnName[]; selects: boolean }) {
  return (
    <div className="eh-grid-head" role="row" aria-rowindex={1}>
      {selects ? (
        <span role="columnheader" className="eh-grid-check">
          <span className="eh-sr">{t('console.tasks.select')}</span>
        </span>
      ) : null}
      <span role="columnheader" className="eh-grid-name">
        {t('console.task')}
      </span>
      {shown.map((name) => (
        <span key={name} role="columnheader" className={`eh-grid-cell eh-grid-${name}`}>
          {t(`console.column.${name}`)}
        </span>
      ))}
    </div>
  )
}

/** Which rows are on screen, followed as the box scrolls and changes its size. */
function useView(box: RefObject<HTMLDivElement | null>, count: number): View {
  const [view, setView] = useState<View>(() => viewOf(0, 1_000, count))
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const measure = () => {
      const next = viewOf(element.scrollTop, element.clientHeight, count)
      setView((old) => (old.first === next.first && old.last === next.last && old.shift === next.shift ? old : next))
    }
    measure()
    element.addEventListener('scroll', measure, { passive: true })
    const watch = new ResizeObserver(measure)
    watch.observe(element)
    return () => {
      element.removeEventListener('scroll', measure)
      watch.disconnect()
    }
  }, [box, count])
  return view
}

function reveal(box: HTMLElement | null, at: number, count: number): void {
  if (!box) return
  const to = scrollTo(at, box.scrollTop, box.clientHeight, count)
  if (to !== null) box.scrollTop = to
}
