import { type KeyboardEvent, type MouseEvent, memo, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { kindOf, problemsOf } from '../../kinds/list'
import { type ClassStyle, classStyles } from '../../kinds/palette'
import type { Ontology } from '../../model/types'
import { ClassChip } from './ClassChip'
import { remove } from './commands'
import { type Row, rowsOf } from './rows'
import type { ImageSurface } from './surface'
import { ToolIcon } from './ToolIcon'
import { useSurfaceLater } from './useSurface'
import { say, sayPhrase } from './words'
import './AnnotationList.css'

const ROW_px = 28
/** Rows drawn beyond the edges, so that scrolling shows no gaps. */
const SPARE = 6
/** More than a screen holds. */
const SLOTS = 256
const NONE: ReadonlySet<string> = new Set()

/** Which row is active, and what clicks and keys choose. */
function useChoosing(surface: ImageSurface, rows: readonly Row[], keepInSight: (at: number) => void, fold: (name: string) => void) {
  const selection = useSurfaceLater(surface, (s) => s.board.selection)
  const anchor = useRef<number | null>(null)
  const chosen = useRef<ReadonlySet<string>>(NONE)
  const [active, setActive] = useState(-1)

  // the list scrolls to what was selected elsewhere
  useEffect(() => {
    if (selection === chosen.current || selection.size === 0) return
    const last = [...selection].at(-1)
    const at = rows.findIndex((row) => row.type === 'shape' && row.shape.id === last)
    if (at === -1) return
    setActive(at)
    anchor.current = at
    keepInSight(at)
  }, [selection, rows, keepInSight])

  const choose = (ids: Iterable<string>) => {
    surface.setSelection(ids, true)
    chosen.current = surface.getSelection()
  }

  const shapesBetween = (a: number, b: number): string[] =>
    rows.slice(Math.min(a, b), Math.max(a, b) + 1).flatMap((row) => (row.type === 'shape' ? [row.shape.id] : []))

  const take = (at: number, how: 'one' | 'toggle' | 'range') => {
    const row = rows[at]
    setActive(at)
    if (!row) return
    const ids = row.type === 'group' ? surface.board.scene.items().flatMap((a) => ('class' in a && a.class === row.name ? [a.id] : [])) : [row.shape.id]
    if (how === 'range' && anchor.current !== null) choose(shapesBetween(anchor.current, at))
    else if (how === 'toggle') {
      const next = new Set(selection)
      for (const one of ids) if (!next.delete(one)) next.add(one)
      choose(next)
    } else choose(ids)
    if (how !== 'range') anchor.current = at
  }

  const press = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -rows.length, End: rows.length }[event.key]
    const row = rows[active]
    if (step !== undefined && rows.length > 0) {
      const at = Math.max(0, Math.min(rows.length - 1, active + step))
      keepInSight(at)
      if (event.ctrlKey || event.metaKey || rows[at]?.type === 'group') setActive(at)
      else take(at, event.shiftKey ? 'range' : 'one')
    } else if (event.key === ' ' || event.key === 'Enter') {
      if (row?.type === 'group' && event.key === 'Enter') fold(row.name)
      else if (event.key === 'Enter') surface.focus()
      else take(active, 'toggle')
    } else if (row?.type === 'group' && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      if (row.folded === (event.key === 'ArrowRight')) fold(row.name)
    } else if (event.key === 'Delete' || event.key === 'Backspace') remove(surface.board)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return { active, take, press }
}

/** All shapes, grouped by class. Follows the selection and is followed by it; only what is in sight is in the page. */
export function AnnotationList({ surface }: { surface: ImageSurface }) {
  const scene = useSurfaceLater(surface, (s) => s.board.scene)
  const ontology = useSurfaceLater(surface, (s) => s.board.ontology)
  const selection = useSurfaceLater(surface, (s) => s.board.selection)
  const hover = useSurfaceLater(surface, (s) => s.board.hover)
  const hidden = useSurfaceLater(surface, (s) => s.board.hiddenClasses)
  const [filter, setFilter] = useState('')
  const [folded, setFolded] = useState(NONE)
  const styleOf = useMemo(() => classStyles(ontology.classes), [ontology])
  const rows = useMemo(
    () =>
      rowsOf(scene, ontology, {
        filter,
        folded: filter === '' ? folded : NONE,
        unnamed: say('image.list.unnamed'),
        kindWord: (kind) => say(`image.kind.${kind}`),
      }),
    [scene, ontology, filter, folded],
  )
  const { box, from, until, keepInSight } = useWindow(rows.length)
  const id = useId()
  const fold = (name: string) => {
    const next = new Set(folded)
    if (!next.delete(name)) next.add(name)
    setFolded(next)
  }

  const { active, take, press } = useChoosing(surface, rows, keepInSight, fold)

  const toggleHidden = (name: string) => {
    const next = new Set(hidden)
    if (!next.delete(name)) next.add(name)
    surface.board.setHiddenClasses(next)
  }

  return (
    <div className="eh-shapes">
      <input className="eh-shapes-filter" type="search" value={filter} placeholder={say('image.list.filter')} aria-label={say('image.list.filter')} onChange={(event) => setFilter(event.target.value)} />
      <div
        ref={box}
        className="eh-shapes-tree"
        // a tree without items is not a tree
        role={rows.length > 0 ? 'tree' : 'group'}
        aria-label={say('image.list')}
        aria-multiselectable={rows.length > 0 ? true : undefined}
        aria-activedescendant={active >= from && active < until && rows[active] ? `${id}${active}` : undefined}
        tabIndex={0}
        onKeyDown={press}
        onPointerLeave={() => surface.board.setHover(null)}
      >
        <div role="none" style={{ height: rows.length * ROW_px }} />
        {rows.slice(from, until).map((row, i) => {
          const at = from + i
          // elements are used again for other rows: cheaper than making new ones at every jump
          const key = at % SLOTS
          const common = { id: `${id}${at}`, top: at * ROW_px }
          return row.type === 'group' ? (
            <GroupRow key={`g${key}`} {...common} row={row} style={styleOf(row.name)} off={hidden.has(row.name)} onFold={fold} onHide={toggleHidden} onTake={(event) => take(at, howOf(event))} />
          ) : (
            <ShapeRow
              key={key}
              {...common}
              row={row}
              style={styleOf(row.shape.class)}
              ontology={ontology}
              selected={selection.has(row.shape.id)}
              hovered={hover === row.shape.id}
              onTake={(event) => take(at, howOf(event))}
              onShow={() => surface.zoomTo('selection')}
              onHover={(on) => surface.board.setHover(on ? row.shape.id : null)}
            />
          )
        })}
        {rows.length === 0 ? <Empty filtered={filter !== ''} readOnly={surface.board.readOnly} /> : null}
      </div>
    </div>
  )
}

const howOf = (event: MouseEvent): 'one' | 'toggle' | 'range' => (event.shiftKey ? 'range' : event.ctrlKey || event.metaKey ? 'toggle' : 'one')

/** Which rows are in sight, by scroll position and height. */
function useWindow(count: number) {
  const box = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ top: 0, height: 600 })
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const look = () => setSight({ top: element.scrollTop, height: element.clientHeight })
    element.addEventListener('scroll', look, { passive: true })
    const observer = new ResizeObserver(look)
    observer.observe(element)
    return () => {
      element.removeEventListener('scroll', look)
      observer.disconnect()
    }
  }, [])
  const keepInSight = useMemo(
    () => (at: number) => {
      const element = box.current
      if (!element) return
      const top = at * ROW_px
      if (top < element.scrollTop) element.scrollTop = Math.max(0, top - ROW_px)
      else if (top + ROW_px > element.scrollTop + element.clientHeight) element.scrollTop = top - element.clientHeight + 2 * ROW_px
    },
    [],
  )
  const from = Math.max(0, Math.min(Math.floor(sight.top / ROW_px) - SPARE, count))
  const until = Math.min(count, Math.ceil((sight.top + sight.height) / ROW_px) + SPARE)
  return { box, from, until, keepInSight }
}

interface GroupRowProps {
  id: string
  top: number
  row: Extract<Row, { type: 'group' }>
  style: ClassStyle
  off: boolean
  onFold(name: string): void
  onHide(name: string): void
  onTake(event: MouseEvent): void
}

function GroupRow({ id, top, row, style, off, onFold, onHide, onTake }: GroupRowProps) {
  const { title, name, count, folded } = row
  return (
    <div id={id} role="treeitem" aria-level={1} aria-expanded={!folded} aria-selected={false} className="eh-shapes-row eh-shapes-group" style={{ top }} onClick={onTake}>
      <button
        type="button"
        tabIndex={-1}
        className="eh-shapes-button"
        data-folded={folded}
        aria-label={say(folded ? 'image.list.unfold' : 'image.list.fold', { name: title })}
        onClick={(event) => {
          event.stopPropagation()
          onFold(name)
        }}
      >
        <ToolIcon name="chevron" size={16} />
      </button>
      <ClassChip style={style} />
      <span className="eh-shapes-name">{title}</span>
      <span className="eh-shapes-count">{say('image.list.count', { count })}</span>
      <button
        type="button"
        tabIndex={-1}
        className="eh-shapes-button"
        aria-label={say(off ? 'image.list.show' : 'image.list.hide', { name: title })}
        onClick={(event) => {
          event.stopPropagation()
          onHide(name)
        }}
      >
        <ToolIcon name={off ? 'eye-off' : 'eye'} size={16} />
      </button>
    </div>
  )
}

interface ShapeRowProps {
  id: string
  top: number
  row: Extract<Row, { type: 'shape' }>
  style: ClassStyle
  ontology: Ontology
  selected: boolean
  hovered: boolean
  onTake(event: MouseEvent): void
  onShow(): void
  onHover(on: boolean): void
}

const ShapeRow = memo(
  function ShapeRow({ id, top, row, ontology, selected, hovered, onTake, onShow, onHover }: ShapeRowProps) {
    const { shape, rank, place, of } = row
    const problems = problemsOf(shape, ontology)
    return (
      <div id={id} role="treeitem" aria-level={2} aria-posinset={place} aria-setsize={of} aria-selected={selected} data-hover={hovered} className="eh-shapes-row" style={{ top }} onClick={onTake} onDoubleClick={onShow} onPointerEnter={() => onHover(true)}>
        <span className="eh-shapes-rank">{rank}</span>
        <ToolIcon name={shape.kind} size={16} />
        <span>{say(`image.kind.${shape.kind}`)}</span>
        {problems.length > 0 ? (
          <span className="eh-shapes-warn" role="img" aria-label={problems.map((p) => sayPhrase(p)).join(', ')} title={problems.map((p) => sayPhrase(p)).join(', ')}>
            <ToolIcon name="warn" size={16} />
          </span>
        ) : null}
        <span className="eh-shapes-size">{sayPhrase(kindOf(shape).size(shape))}</span>
      </div>
    )
  },
  (a, b) => a.id === b.id && a.top === b.top && a.row.shape === b.row.shape && a.row.rank === b.row.rank && a.row.of === b.row.of && a.selected === b.selected && a.hovered === b.hovered && a.ontology === b.ontology,
)

function Empty({ filtered, readOnly }: { filtered: boolean; readOnly: boolean }) {
  return (
    <div className="eh-shapes-empty" role="none">
      {filtered ? (
        say('image.list.none')
      ) : (
        <>
          <strong>{say('image.list.empty')}</strong>
          {readOnly ? null : say('image.list.empty.hint')}
        </>
      )}
    </div>
  )
}
