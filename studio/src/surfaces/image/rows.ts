/** The rows of the shape list: a header per class, shapes under it. Pure, and fast at 10,000 shapes. */
import { isSpatial } from '../../kinds/list'
import type { Scene } from '../../kernel/scene'
import type { Annotation, Ontology, SpatialAnnotation } from '../../model/types'

export type Row =
  | { readonly type: 'group'; readonly name: string; readonly title: string; readonly count: number; readonly folded: boolean }
  | { readonly type: 'shape'; readonly shape: SpatialAnnotation; readonly rank: number; readonly place: number; readonly of: number }

export interface RowOptions {
  readonly filter: string
  readonly folded: ReadonlySet<string>
  readonly unnamed: string
  /** Words of a kind, for the filter. */
  kindWord(kind: SpatialAnnotation['kind']): string
}

/** Shapes without a class come first, for they need one; then the classes as the ontology has them. */
export function rowsOf(scene: Scene<Annotation>, ontology: Ontology, options: RowOptions): Row[] {
  const titles = new Map(ontology.classes.map((c) => [c.name, c.title ?? c.name]))
  const groups = new Map<string, { shape: SpatialAnnotation; rank: number }[]>([['', []]])
  for (const c of ontology.classes) groups.set(c.name, [])
  const wanted = options.filter.trim().toLowerCase()
  let rank = 0
  for (const a of scene) {
    rank++
    if (!isSpatial(a)) continue
    if (wanted !== '' && !matches(a, rank, wanted, titles.get(a.class) ?? a.class, options)) continue
    const group = groups.get(a.class)
    if (group) group.push({ shape: a, rank })
    else groups.set(a.class, [{ shape: a, rank }])
  }
  const rows: Row[] = []
  for (const [name, shapes] of groups) {
    if (shapes.length === 0) continue
    const folded = options.folded.has(name)
    const title = name === '' ? options.unnamed : (titles.get(name) ?? name)
    rows.push({ type: 'group', name, title, count: shapes.length, folded })
    if (folded) continue
    shapes.forEach(({ shape, rank: r }, i) => rows.push({ type: 'shape', shape, rank: r, place: i + 1, of: shapes.length }))
  }
  return rows
}

function matches(a: SpatialAnnotation, rank: number, wanted: string, title: string, options: RowOptions): boolean {
  if (title.toLowerCase().includes(wanted) || String(rank) === wanted || a.id.toLowerCase() === wanted) return true
  if (options.kindWord(a.kind).toLowerCase().startsWith(wanted)) return true
  if (a.class === '' && options.unnamed.toLowerCase().includes(wanted)) return true
  return Object.values(a.attributes ?? {}).some((value) => String(value).toLowerCase().includes(wanted))
}
