/** Beside the text: labels with their counts, the chosen span with its ends and attributes, and the list of all. */
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { attributesFor } from '../../kinds/list'
import { classStyles } from '../../kinds/palette'
import type { AttributeValue, OntologyAttribute, SpanAnnotation } from '../../model/types'
import { Button } from '../../ui/Button'
import { Kbd } from '../../ui/Kbd'
import type { TextController } from './controller'
import { Differences } from './Differences'
import { say } from './phrases'
import { useText } from './TextSurface'
import './TextPanel.css'

/** Rows shown at once; more are found by filtering. */
const SHOWN = 200

export function TextPanel({ controller }: { readonly controller: TextController }) {
  useText(controller)
  return (
    <div className="eh-tp">
      <Differences controller={controller} />
      <Labels controller={controller} />
      <Chosen controller={controller} />
      <List controller={controller} />
    </div>
  )
}

function useStyles(controller: TextController) {
  return useMemo(() => classStyles(controller.ontology.classes), [controller])
}

function Labels({ controller }: { readonly controller: TextController }) {
  const styleOf = useStyles(controller)
  const counts = controller.counts()
  const { armed } = controller.state
  return (
    <section>
      <h2 className="eh-tp-head">{say('text.labels')}</h2>
      <div className="eh-tp-labels">
        {controller.classes.map((one, at) => {
          const style = styleOf(one.name)
          const count = counts.get(one.name) ?? 0
          return (
            <button
              key={one.name}
              type="button"
              className={armed === one.name ? 'eh-tp-label eh-tp-label-armed' : 'eh-tp-label'}
              aria-pressed={armed === one.name}
              disabled={controller.readOnly}
              // The selection in the text must not be lost to the button.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => controller.use(one.name)}
            >
              <span className="eh-text-swatch" style={{ background: style.color, color: style.ink }} aria-hidden="true">
                {one.hotkey?.toUpperCase() ?? (at < 9 ? at + 1 : '')}
              </span>
              <span className="eh-tp-name">{one.title ?? one.name}</span>
              <span className="eh-tp-count">{count}</span>
            </button>
          )
        })}
      </div>
      {controller.readOnly ? null : <p className="eh-tp-note">{armed ? say('text.armed', { name: armed }) : say('text.armed.none')}</p>}
    </section>
  )
}

function Chosen({ controller }: { readonly controller: TextController }) {
  const span = controller.chosenSpan()
  const others = useMemo(() => controller.others().length, [controller, span, controller.plan])
  if (!span) {
    return (
      <section>
        <h2 className="eh-tp-head">{say('text.chosen')}</h2>
        <p className="eh-tp-note">{controller.plan.spans.length ? say('text.chosen.none') : say('text.empty.hint')}</p>
      </section>
    )
  }
  const text = controller.index.slice(span.start, span.end)
  return (
    <section>
      <h2 className="eh-tp-head">{say('text.chosen')}</h2>
      <blockquote className="eh-tp-quote" dir="auto">
        {text.length > 200 ? `${text.slice(0, 200)}…` : text}
      </blockquote>
      <p className="eh-tp-note">{say('text.chosen.place', { start: span.start, end: span.end })}</p>
      {controller.readOnly ? null : (
        <>
          <label className="eh-tp-row">
            <span>{say('text.change')}</span>
            <select className="eh-tp-select" value={span.class} onChange={(event) => controller.setClass(event.target.value)}>
              {controller.classes.some((one) => one.name === span.class) ? null : <option value={span.class}>{span.class}</option>}
              {controller.classes.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.title ?? one.name}
                </option>
              ))}
            </select>
          </label>
          <Ends controller={controller} which="start" />
          <Ends controller={controller} which="end" />
        </>
      )}
      <Attributes controller={controller} span={span} />
      {controller.readOnly ? null : (
        <div className="eh-tp-actions">
          {others > 0 ? (
            <Button small onClick={() => controller.labelOthers()}>
              {say('text.others', { count: others })} <Kbd keys="Shift+Enter" />
            </Button>
          ) : null}
          <Button small icon="trash" onClick={() => controller.removeChosen()}>
            {say('text.delete')}
          </Button>
        </div>
      )}
    </section>
  )
}

function Ends({ controller, which }: { readonly controller: TextController; readonly which: 'start' | 'end' }) {
  return (
    <div className="eh-tp-row" role="group" aria-label={say(`text.${which}`)}>
      <span>{say(`text.${which}`)}</span>
      <span className="eh-tp-steps">
        <Button small icon="left" aria-label={say(`text.${which}.earlier`)} onClick={() => controller.stepEnd(which, -1, 'character')} />
        <Button small icon="right" aria-label={say(`text.${which}.later`)} onClick={() => controller.stepEnd(which, 1, 'character')} />
      </span>
    </div>
  )
}

function Attributes({ controller, span }: { readonly controller: TextController; readonly span: SpanAnnotation }) {
  const shown = attributesFor(controller.ontology, span.class, span.attributes)
  if (shown.length === 0) return null
  return (
    <div className="eh-tp-attributes" role="group" aria-label={say('text.attributes')}>
      {shown.map((one) => (
        <Attribute key={one.name} attribute={one} value={span.attributes?.[one.name]} readOnly={controller.readOnly} onChange={(value) => controller.setAttribute(one.name, value)} />
      ))}
    </div>
  )
}

interface AttributeProps {
  readonly attribute: OntologyAttribute
  readonly value: AttributeValue | undefined
  readonly readOnly: boolean
  readonly onChange: (value: AttributeValue | null) => void
}

function Attribute({ attribute, value, readOnly, onChange }: AttributeProps) {
  const title = attribute.title ?? attribute.name
  if (attribute.type === 'boolean') {
    return (
      <label className="eh-tp-row">
        <span>{title}</span>
        <input type="checkbox" checked={value === true} disabled={readOnly} onChange={(event) => onChange(event.target.checked)} />
      </label>
    )
  }
  if (attribute.type === 'choice' && attribute.multiple) {
    const held = Array.isArray(value) ? (value as readonly string[]) : []
    return (
      <fieldset className="eh-tp-many">
        <legend>{title}</legend>
        {(attribute.choices ?? []).map((choice) => (
          <label key={choice}>
            <input
              type="checkbox"
              checked={held.includes(choice)}
              disabled={readOnly}
              onChange={(event) => {
                const next = event.target.checked ? [...held, choice] : held.filter((one) => one !== choice)
                onChange(next.length ? next : null)
              }}
            />
            {choice}
          </label>
        ))}
      </fieldset>
    )
  }
  if (attribute.type === 'choice') {
    return (
      <label className="eh-tp-row">
        <span>{title}</span>
        <select className="eh-tp-select" value={typeof value === 'string' ? value : ''} disabled={readOnly} onChange={(event) => onChange(event.target.value === '' ? null : event.target.value)}>
          <option value="">{say('text.unset')}</option>
          {(attribute.choices ?? []).map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      </label>
    )
  }
  const number = attribute.type === 'number'
  return (
    <label className="eh-tp-row">
      <span>{title}</span>
      <input
        className="eh-tp-select"
        type={number ? 'number' : 'text'}
        step="any"
        readOnly={readOnly}
        value={typeof value === 'string' || typeof value === 'number' ? value : ''}
        onChange={(event) => {
          const typed = event.target.value
          onChange(typed === '' ? null : number ? Number(typed) : typed)
        }}
      />
    </label>
  )
}

function List({ controller }: { readonly controller: TextController }) {
  const [typed, setTyped] = useState('')
  const wanted = useDeferredValue(typed.trim().toLowerCase())
  const styleOf = useStyles(controller)
  const { spans } = controller.plan
  const { chosen } = controller.state
  const chosenRow = useRef<HTMLButtonElement>(null)
  useEffect(() => void chosenRow.current?.scrollIntoView({ block: 'nearest' }), [chosen])
  const found = wanted === '' ? spans : spans.filter((span) => `${span.class} ${controller.index.slice(span.start, Math.min(span.end, span.start + 200))}`.toLowerCase().includes(wanted))
  const at = chosen === null ? -1 : found.findIndex((span) => span.id === chosen)
  const from = Math.max(0, Math.min(at - SHOWN / 2, found.length - SHOWN))
  const shown = found.slice(from, from + SHOWN)
  return (
    <section>
      <h2 className="eh-tp-head">
        {say('text.list')} <span className="eh-tp-count">{spans.length}</span>
      </h2>
      {spans.length > 8 ? <input className="eh-tp-select" type="search" value={typed} aria-label={say('text.list.filter')} placeholder={say('text.list.filter')} onChange={(event) => setTyped(event.target.value)} /> : null}
      {spans.length === 0 ? <p className="eh-tp-note">{say('text.empty')}</p> : null}
      <ul className="eh-tp-list">
        {shown.map((span) => (
          <li key={span.id}>
            <button type="button" ref={span.id === chosen ? chosenRow : undefined} className={span.id === chosen ? 'eh-tp-span eh-tp-span-chosen' : 'eh-tp-span'} aria-pressed={span.id === chosen} onClick={() => controller.choose(span.id, true)}>
              <span className="eh-tp-dot" style={{ background: styleOf(span.class).color }} aria-hidden="true" />
              <span className="eh-tp-text" dir="auto">
                {controller.index.slice(span.start, Math.min(span.end, span.start + 60))}
              </span>
              <span className="eh-tp-class">{span.class}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length > shown.length ? <p className="eh-tp-note">{say('text.list.more', { count: found.length - shown.length })}</p> : null}
    </section>
  )
}
