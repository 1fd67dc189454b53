/** The list of labels beside the selection: type to filter, numbers and letters choose, last used first. */
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react'
import type { ClassStyle } from '../../kinds/palette'
import type { TextController } from './controller'
import { say } from './phrases'

interface Props {
  readonly controller: TextController
  readonly styleOf: (name: string) => ClassStyle
  readonly at: { readonly x: number; readonly y: number; readonly below: boolean }
  readonly onDone: () => void
}

export function SpanPicker({ controller, styleOf, at, onDone }: Props) {
  const [typed, setTyped] = useState('')
  const [active, setActive] = useState(0)
  const box = useRef<HTMLDivElement>(null)
  const list = useId()
  const shown = controller.classesByUse.filter((one) => `${one.name} ${one.title ?? ''}`.toLowerCase().includes(typed.trim().toLowerCase()))
  const choose = (name: string): void => {
    controller.use(name)
    onDone()
  }
  useLayoutEffect(() => {
    const own = box.current
    const frame = own?.parentElement
    if (!own || !frame) return
    own.style.left = `${Math.max(8, Math.min(at.x, frame.clientWidth - own.offsetWidth - 8))}px`
    own.style.top = `${Math.max(8, at.below ? at.y + 8 : at.y - own.offsetHeight - 8)}px`
  }, [at, shown.length])
  useEffect(() => {
    const away = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) controller.closePicker()
    }
    window.addEventListener('pointerdown', away)
    return () => window.removeEventListener('pointerdown', away)
  }, [controller])
  return (
    <div className="eh-text-picker" ref={box}>
      <input
        // A finger would get the keyboard of the screen over the list.
        autoFocus={!matchMedia('(pointer: coarse)').matches}
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={shown[active] ? `${list}-${active}` : undefined}
        aria-label={say('text.picker')}
        placeholder={say('text.picker.filter')}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          setActive(0)
        }}
        onKeyDown={(event) => {
          event.stopPropagation()
          const key = typed === '' && !event.ctrlKey && !event.metaKey && !event.altKey ? controller.classForKey(event.key) : null
          if (key) {
            event.preventDefault()
            choose(key.name)
          } else if (event.key === 'Enter') {
            event.preventDefault()
            const one = shown[active]
            if (one) choose(one.name)
          } else if (event.key === 'Escape') {
            event.preventDefault()
            controller.closePicker()
            onDone()
          } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault()
            setActive((active + (event.key === 'ArrowDown' ? 1 : shown.length - 1)) % Math.max(1, shown.length))
          }
        }}
      />
      <ul id={list} role="listbox" aria-label={say('text.labels')}>
        {shown.map((one, i) => {
          const style = styleOf(one.name)
          return (
            <li key={one.name} id={`${list}-${i}`} role="option" aria-selected={i === active} onPointerMove={() => setActive(i)} onClick={() => choose(one.name)}>
              <span className="eh-text-swatch" style={{ background: style.color, color: style.ink }} aria-hidden="true">
                {one.hotkey?.toUpperCase() ?? style.number}
              </span>
              {one.title ?? one.name}
            </li>
          )
        })}
      </ul>
      {shown.length === 0 ? <p className="eh-muted">{say('text.picker.none')}</p> : null}
    </div>
  )
}
