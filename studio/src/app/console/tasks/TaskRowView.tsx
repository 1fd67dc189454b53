import type { MouseEvent } from 'react'
import { Badge } from '../../../ui/Badge'
import { Icon } from '../../../ui/Icon'
import { formatAgo, formatDate, formatNumber, t } from '../../../ui/messages'
import { stateLook } from '../numbers'
import type { TaskRow } from '../types'
import type { ColumnName } from './useColumns'

/** One task in the grid. */
export function TaskRowView({ row, at, top, shown, opened, active, selected, onClick }: {
  row: TaskRow
  at: number
  top: number
  shown: readonly ColumnName[]
  opened: boolean
  active: boolean
  /** Null: nothing can be selected here. */
  selected: boolean | null
  onClick: (event: MouseEvent) => void
}) {
  // A name that was made from the text would say it twice.
  const begins = Boolean(row.name && row.excerpt?.startsWith(row.name))
  return (
    <div
      id={`task-${at}`}
      role="row"
      aria-rowindex={at + 2}
      aria-selected={selected ?? false}
      className={['eh-grid-row', opened && 'eh-grid-open', active && 'eh-grid-active'].filter(Boolean).join(' ')}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onClick}
    >
      {selected === null ? null : (
        <span role="gridcell" className="eh-grid-check">
          <span className={selected ? 'eh-tick eh-tick-on' : 'eh-tick'} aria-hidden="true">
            {selected ? <Icon name="check" size={12} /> : null}
          </span>
        </span>
      )}
      <span role="gridcell" className="eh-grid-name">
        <Thumb row={row} />
        <span className="eh-grid-title">
          <span className="eh-ellipsis" dir="auto">
            {(begins ? row.excerpt : row.name) || row.excerpt || row.id}
          </span>
          {row.name && row.excerpt && !begins ? (
            <span className="eh-ellipsis eh-muted eh-small" dir="auto">
              {row.excerpt}
            </span>
          ) : null}
        </span>
      </span>
      {shown.map((name) => (
        <span key={name} role="gridcell" className={`eh-grid-cell eh-grid-${name}`}>
          <Cell name={name} row={row} />
        </span>
      ))}
    </div>
  )
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
