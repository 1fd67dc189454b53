import type { ReactNode } from 'react'
import { t } from './messages'
import './Table.css'

export type Column<R> = {
  key: string
  title: string
  cell: (row: R) => ReactNode
  number?: boolean | undefined
  /** As narrow as its content. */
  tight?: boolean | undefined
  /** Left out on narrow screens. */
  wideOnly?: boolean | undefined
  hideTitle?: boolean | undefined
}

/** A table with a name. `onOpen` makes the row clickable; the first cell should then hold a link, for the keyboard. */
export function Table<R>({ label, columns, rows, rowKey, onOpen, selected, caption }: {
  label: string
  columns: readonly Column<R>[]
  rows: readonly R[]
  rowKey: (row: R) => string
  onOpen?: ((row: R) => void) | undefined
  selected?: string | null | undefined
  caption?: string | undefined
}) {
  const cls = (column: Column<R>) =>
    [column.number && 'eh-table-number', column.tight && 'eh-table-tight', column.wideOnly && 'eh-table-wide-only'].filter(Boolean).join(' ')
  return (
    <div className="eh-table-scroll" role="region" aria-label={t('ui.table-region', { name: label })} tabIndex={0}>
      <table className="eh-table" aria-label={label}>
        {caption ? <caption>{caption}</caption> : null}
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={cls(column)}>
                {column.hideTitle ? <span className="eh-sr">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = rowKey(row)
            return (
              <tr
                key={key}
                className={onOpen ? 'eh-table-open' : ''}
                {...(selected === key ? { 'aria-selected': true } : {})}
                onClick={onOpen ? (event) => !(event.target as Element).closest('a,button,input,label,[role=menu],[role=dialog]') && onOpen(row) : undefined}
              >
                {columns.map((column) => (
                  <td key={column.key} className={cls(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
