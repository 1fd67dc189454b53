import { useState } from 'react'

export const columnNames = ['state', 'labels', 'people', 'created', 'completed', 'flags'] as const
export type ColumnName = (typeof columnNames)[number]
const KEY = 'evenhand.columns'

/** Which columns the reader wants; kept on this machine. */
export function useColumns(): [ReadonlySet<ColumnName>, (name: ColumnName) => void] {
  const [columns, setColumns] = useState<ReadonlySet<ColumnName>>(() => {
    try {
      const saved: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
      if (Array.isArray(saved)) return new Set(columnNames.filter((name) => saved.includes(name)))
    } catch {
      // nothing usable was kept
    }
    return new Set<ColumnName>(['state', 'labels', 'people', 'created', 'flags'])
  })
  const toggle = (name: ColumnName) => {
    const next = new Set(columns)
    if (!next.delete(name)) next.add(name)
    setColumns(next)
    try {
      localStorage.setItem(KEY, JSON.stringify([...next]))
    } catch {
      // private mode
    }
  }
  return [columns, toggle]
}
