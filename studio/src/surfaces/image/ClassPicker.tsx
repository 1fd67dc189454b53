import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react'
import type { Size, Vec } from '../../kernel/vec'
import { classStyles } from '../../kinds/palette'
import type { OntologyClass } from '../../model/types'
import { ClassChip } from './ClassChip'
import { say } from './words'
import './ClassPicker.css'

export interface ClassPickerProps {
  /** All classes of the ontology, for colours and numbers. */
  classes: readonly OntologyClass[]
  /** Those that may be chosen now. */
  offered: readonly OntologyClass[]
  /** Names, most recent first: these come first. */
  recent: readonly string[]
  /** CSS pixels from the top left of the room it appears in. */
  at: Vec
  room: Size
  onChoose(name: string): void
  /** Escape or a click elsewhere. */
  onClose(): void
}

const WIDTH = 248
const GAP = 12
const HEIGHT_BASE = 84
const ROW = 32

/** Last used first, then as the ontology has them; a filter keeps the order but prefers names that begin with it. */
export function offerClasses(offered: readonly OntologyClass[], recent: readonly string[], filter: string): OntologyClass[] {
  const rank = (c: OntologyClass): number => {
    const at = recent.indexOf(c.name)
    return at === -1 ? recent.length : at
  }
  const text = (c: OntologyClass): string => (c.title ?? c.name).toLowerCase()
  const wanted = filter.trim().toLowerCase()
  const sorted = [...offered].sort((a, b) => rank(a) - rank(b))
  if (wanted === '') return sorted
  const begins = sorted.filter((c) => text(c).startsWith(wanted))
  const holds = sorted.filter((c) => !text(c).startsWith(wanted) && (text(c).includes(wanted) || c.name.toLowerCase().includes(wanted)))
  return [...begins, ...holds]
}

/** Beside the cursor: Enter takes the first, digits and hotkeys choose at once, letters filter. */
export function ClassPicker({ classes, offered, recent, at, room, onChoose, onClose }: ClassPickerProps) {
  const [filter, setFilter] = useState('')
  const [active, setActive] = useState(0)
  const box = useRef<HTMLDivElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const id = useId()
  const styleOf = useMemo(() => classStyles(classes), [classes])
  const shown = useMemo(() => offerClasses(offered, recent, filter), [offered, recent, filter])
  const chosen = shown[Math.min(active, shown.length - 1)]

  useEffect(() => {
    input.current?.focus({ preventScroll: true })
    const away = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) onClose()
    }
    document.addEventListener('pointerdown', away, true)
    return () => document.removeEventListener('pointerdown', away, true)
  }, [onClose])

  useEffect(() => {
    box.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [active])

  const press = (event: KeyboardEvent) => {
    event.stopPropagation()
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Escape') onClose()
    else if (event.key === 'Enter') chosen && onChoose(chosen.name)
    else if (event.key === 'Tab') onClose()
    else if (event.key === 'ArrowDown') setActive((n) => (Math.min(n, shown.length - 1) + 1) % Math.max(shown.length, 1))
    else if (event.key === 'ArrowUp') setActive((n) => (Math.min(n, shown.length - 1) - 1 + shown.length) % Math.max(shown.length, 1))
    else {
      const direct = filter === '' && !event.ctrlKey && !event.metaKey && !event.altKey ? byKey(classes, offered, event.key) : null
      if (!direct) return
      onChoose(direct.name)
    }
    event.preventDefault()
  }

  const height = HEIGHT_BASE + Math.min(shown.length, 8) * ROW
  const left = Math.max(4, Math.min(at.x + GAP, room.w - WIDTH - 4))
  const top = Math.max(4, Math.min(at.y + GAP, room.h - height - 4))
  return (
    <div ref={box} className="eh-class-picker" style={{ left, top, maxHeight: room.h - 8 }}>
      <input
        ref={input}
        className="eh-class-picker-input"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}list`}
        aria-activedescendant={chosen ? `${id}${shown.indexOf(chosen)}` : undefined}
        aria-label={say('image.picker')}
        placeholder={say('image.picker.filter')}
        autoComplete="off"
        spellCheck={false}
        value={filter}
        onChange={(event) => {
          setFilter(event.target.value)
          setActive(0)
        }}
        onKeyDown={press}
      />
      <div className="eh-class-picker-list" role="listbox" id={`${id}list`} aria-label={say('image.picker')} tabIndex={-1}>
        {shown.map((c, i) => (
          <div
            key={c.name}
            id={`${id}${i}`}
            role="option"
            aria-selected={c === chosen}
            className="eh-class-picker-option"
            onPointerEnter={() => setActive(i)}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => onChoose(c.name)}
          >
            <ClassChip style={styleOf(c.name)} />
            <span className="eh-class-picker-name">{c.title ?? c.name}</span>
            {c.hotkey ? <span className="eh-class-picker-key">{c.hotkey.toUpperCase()}</span> : null}
          </div>
        ))}
      </div>
      {shown.length === 0 ? <div className="eh-class-picker-none">{say('image.picker.none')}</div> : null}
      <div className="eh-class-picker-hint">{say('image.picker.hint')}</div>
    </div>
  )
}

function byKey(classes: readonly OntologyClass[], offered: readonly OntologyClass[], key: string): OntologyClass | null {
  const own = offered.find((c) => c.hotkey?.toLowerCase() === key.toLowerCase())
  if (own) return own
  const numbered = /^[1-9]$/.test(key) ? classes[Number(key) - 1] : undefined
  return numbered && offered.includes(numbered) ? numbered : null
}
