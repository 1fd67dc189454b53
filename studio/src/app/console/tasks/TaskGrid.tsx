import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import { Badge } from '../../../ui/Badge'
import { Icon } from '../../../ui/Icon'
import { formatAgo, formatDate, formatNumber, t } from '../../../ui/messages'
import { stateLook } from '../numbers'
import type { TaskRow } from '../types'
import { columnNames, type ColumnName } from './useColumns'

const ROW = 48
const OVER = 8

type Props = {
  rows: readonly TaskRow[]
  total: number | null
  complete: boolean
  columns: ReadonlySet<ColumnName>
  see: (first: number, last: number) => void
  opened: string | null
  onOpen: (id: string) => void
  selected: ReadonlySet<string>
  onSelected: ((next: ReadonlySet<string>) => void) | null
}

/** Only the rows on screen exist; the grid itself keeps the focus and names the active row. */
export function TaskGrid({ rows, total, complete, columns, see, opened, onOpen, selected, onSelected }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState<[number, number]>([0, 30])
  const [active, setActive] = useState(() => Math.max(0, rows.findIndex((row) => row.id === opened)))
  const anchor = useRef(0)
  const count = complete ? rows.length : rows.length + 12

  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const measure = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / ROW) - OVER)
      const last = Math.ceil((element.scrollTop + element.clientHeight) / ROW) + OVER
      setView((old) => (old[0] === first && old[1] === last ? old : [first, last]))
    }
    measure()
    element.addEventListener('scroll', measure, { passive: true })
    const watch = new ResizeObserver(measure)
    watch.observe(element)
    return () => {
      element.removeEventListener('scroll', measure)
      watch.disconnect()
    }
  }, [])
  useEffect(() => see(view[0], view[1]), [see, view])
  // The open task is the active one, also when it was changed from elsewhere (J, K, the address).
  useEffect(() => {
    const at = rows.findIndex((row) => row.id === opened)
    if (at < 0) return
    setActive(at)
    reveal(box.current, at)
  }, [opened])

  const go = (at: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, at))
    setActive(next)
    reveal(box.current, next)
    const row = rows[next]
    if (opened && row) onOpen(row.id)
  }
  const toggle = (at: number, range: boolean) => {
    const row = rows[at]
    if (!row || !onSelected) return
    const next = new Set(selected)
    if (range) for (const item of rows.slice(Math.min(anchor.current, at), Math.max(anchor.current, at) + 1)) next.add(item.id)
    else if (!next.delete(row.id)) next.add(row.id)
    anchor.current = at
    onSelected(next)
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.target !== box.current || event.altKey || event.metaKey) return
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / ROW) - 2)
    const moves: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: rows.length - 1 }
    const target = moves[event.key]
    const row = rows[active]
    if (target !== undefined) {
      if (event.shiftKey) toggle(target, true)
      go(target)
    } else if (event.key === 'Enter' && row) onOpen(row.id)
    else if (event.key === ' ' || event.key === 'x') toggle(active, event.shiftKey)
    else if (event.key.toLowerCase() === 'a' && event.ctrlKey && onSelected) onSelected(new Set(rows.map((item) => item.id)))
    else return
    event.preventDefault()
  }
  const shown = columnNames.filter((name) => columns.has(name))
  const slice = rows.slice(view[0], view[1])
  const waiting = Math.max(0, Math.min(count, view[1]) - Math.max(rows.length, view[0]))
  return (
    <div
      ref={box}
      className="eh-grid"
      role="grid"
      aria-label={t('console.tab.tasks')}
      aria-rowcount={total ?? -1}
      aria-multiselectable={onSelected !== null}
      aria-activedescendant={rows[active] && active >= view[0] && active < view[1] ? `task-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKey}
    >
      <div className="eh-grid-head" role="row" aria-rowindex={1}>
        {onSelected ? (
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
      <div role="rowgroup" className="eh-grid-body" style={{ height: count * ROW }}>
        {slice.map((row, offset) => {
          const at = view[0] + offset
          return (
            <div
              key={row.id}
              id={`task-${at}`}
              role="row"
              aria-rowindex={at + 2}
              aria-selected={selected.has(row.id)}
              className={['eh-grid-row', row.id === opened && 'eh-grid-open', at === active && 'eh-grid-active'].filter(Boolean).join(' ')}
              style={{ transform: `translateY(${at * ROW}px)` }}
              onClick={(event) => {
                setActive(at)
                if ((event.target as Element).closest('.eh-grid-check')) toggle(at, event.shiftKey)
                else onOpen(row.id)
              }}
            >
              {onSelected ? (
                <span role="gridcell" className="eh-grid-check">
                  <span className={selected.has(row.id) ? 'eh-tick eh-tick-on' : 'eh-tick'} aria-hidden="true">
                    {selected.has(row.id) ? <Icon name="check" size={12} /> : null}
                  </span>
                </span>
              ) : null}
              <span role="gridcell" className="eh-grid-name">
                <Thumb row={row} />
                <span className="eh-grid-title">
                  <span className="eh-ellipsis">{row.name || row.excerpt || row.id}</span>
                  {row.name && row.excerpt ? <span className="eh-ellipsis eh-muted eh-small">{row.excerpt}</span> : null}
                </span>
              </span>
              {shown.map((name) => (
                <span key={name} role="gridcell" className={`eh-grid-cell eh-grid-${name}`}>
                  <Cell name={name} row={row} />
                </span>
              ))}
            </div>
          )
        })}
        {Array.from({ length: waiting }, (_, at) => (
          <div key={`w${at}`} className="eh-grid-row" aria-hidden="true" style={{ transform: `translateY(${(Math.max(rows.length, view[0]) + at) * ROW}px)` }}>
            <span className="eh-skeleton eh-grid-wait" />
          </div>
        ))}
      </div>
    </div>
  )
}

function reveal(box: HTMLElement | null, at: number): void {
  if (!box) return
  const head = 32
  const top = at * ROW
  if (top < box.scrollTop) box.scrollTop = top
  else if (top + ROW + head > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW + head - box.clientHeight
}

function Thumb({ row }: { row: TaskRow }) {
  if (row.thumb_url) return <img className="eh-thumb" src={row.thumb_url} alt="" width={40} height={40} loading="lazy" decoding="async" />
  return (
    <span className="eh-thumb eh-thumb-text">
      <Icon name={row.excerpt ? 'text' : 'image'} />
    </span>
  )
}

function Cell({ name, row }: { name: ColumnName; row: TaskRow }) {
  switch (name) {
    case 'state':
      return (
        <Badge look={stateLook[row.state]} dot>
          {t(`console.state.${row.state}`)}
        </Badge>
      )
    case 'labels':
      return formatNumber(row.labels)
    case 'people':
      return formatNumber(row.people)
    case 'created':
      return <time title={formatDate(row.created_at, 'full')}>{formatAgo(row.created_at)}</time>
    case 'completed':
      return row.completed_at ? <time title={formatDate(row.completed_at, 'full')}>{formatAgo(row.completed_at)}</time> : '–'
    case 'flags':
      return row.flags.map((flag) => (
        <Badge key={flag} look={flag === 'rejected' ? 'danger' : 'warn'}>
          {t(`console.flag.${flag}`)}
        </Badge>
      ))
  }
}
