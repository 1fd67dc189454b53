import { useEffect, useId, useState } from 'react'
import { angleOf } from '../../kinds/box'
import { attributesFor, classesFor, kindOf, problemsOf } from '../../kinds/list'
import { classStyles } from '../../kinds/palette'
import type { AttributeValue, OntologyAttribute, SpatialAnnotation } from '../../model/types'
import { ClassChip } from './ClassChip'
import { classify, duplicate, remove, setAngle, setAttribute } from './commands'
import type { ImageSurface } from './surface'
import { useSurfaceLater } from './useSurface'
import { say, sayPhrase } from './words'
import './AttributePanel.css'

/** More selected shapes than this and values are not compared one by one. */
const MOST_COMPARED = 500

/** Class, attributes and size of what is selected; several shapes are changed together. */
export function AttributePanel({ surface }: { surface: ImageSurface }) {
  const selection = useSurfaceLater(surface, (s) => s.board.selection)
  const scene = useSurfaceLater(surface, (s) => s.board.scene)
  const ontology = useSurfaceLater(surface, (s) => s.board.ontology)
  const { board } = surface
  const shapes = board.selectedShapes()
  const first = shapes[0]
  if (!first || !scene.has(first.id)) return <p className="eh-attributes-none">{say('image.attributes.none')}</p>
  const ids = [...selection]
  const sample = shapes.slice(0, MOST_COMPARED)
  const one = shapes.length === 1
  const offered = classesFor(ontology, first.kind).filter((c) => sample.every((a) => c.kinds.includes(a.kind)))
  const className = sample.every((a) => a.class === first.class) ? first.class : null
  const shared = sample.reduce((kept, a) => {
    const own = attributesFor(ontology, a.class, a.attributes)
    return kept.filter((one) => own.includes(one))
  }, ontology.attributes)
  const problems = one ? problemsOf(first, ontology) : []
  const title = one ? say(`image.kind.${first.kind}`) : say('image.attributes.many', { count: shapes.length })
  return (
    <section className="eh-attributes" aria-label={say('image.attributes')}>
      <div className="eh-attributes-head">
        {className === null ? null : <ClassChip style={classStyles(ontology.classes)(className)} />}
        <span>{title}</span>
      </div>
      <label>
        <span className="eh-attributes-label">{say('image.attributes.class')}</span>
        <select value={className ?? ''} disabled={board.readOnly} onChange={(event) => classify(board, ids, event.target.value)}>
          {className === null || className === '' ? (
            <option value="" disabled>
              {say(className === null ? 'image.attributes.mixed' : 'image.list.unnamed')}
            </option>
          ) : null}
          {className !== null && className !== '' && !offered.some((c) => c.name === className) ? <option value={className}>{className}</option> : null}
          {offered.map((c) => (
            <option key={c.name} value={c.name}>
              {c.title ?? c.name}
            </option>
          ))}
        </select>
      </label>
      {shared.map((attribute) => (
        <AttributeField
          key={attribute.name}
          attribute={attribute}
          value={commonValue(sample, attribute.name)}
          disabled={board.readOnly}
          onChange={(value) => setAttribute(board, ids, attribute.name, value)}
        />
      ))}
      {one && first.kind !== 'point' ? <SizeFields surface={surface} shape={first} /> : null}
      {problems.length > 0 ? (
        <ul className="eh-attributes-problems">
          {problems.map((p) => (
            <li key={p.key + JSON.stringify(p.params)}>{sayPhrase(p)}</li>
          ))}
        </ul>
      ) : null}
      {board.readOnly ? null : (
        <div className="eh-attributes-actions">
          <button type="button" onClick={() => duplicate(board)}>
            {say('image.attributes.duplicate')}
          </button>
          <button type="button" onClick={() => remove(board)}>
            {say('image.attributes.delete')}
          </button>
        </div>
      )}
    </section>
  )
}

/** null = the shapes differ. */
function commonValue(shapes: readonly SpatialAnnotation[], name: string): AttributeValue | undefined | null {
  const value = shapes[0]?.attributes?.[name]
  const text = JSON.stringify(value)
  return shapes.every((a) => JSON.stringify(a.attributes?.[name]) === text) ? value : null
}

interface AttributeFieldProps {
  attribute: OntologyAttribute
  value: AttributeValue | undefined | null
  disabled: boolean
  onChange(value: AttributeValue | undefined): void
}

function AttributeField({ attribute, value, disabled, onChange }: AttributeFieldProps) {
  const title = (attribute.title ?? attribute.name) + (attribute.required === true ? ` (${say('image.attributes.required')})` : '')
  const unset = value === null ? say('image.attributes.mixed') : say('image.attributes.unset')
  if (attribute.type === 'choice' && attribute.multiple === true) {
    const chosen: readonly string[] = Array.isArray(value) ? value : []
    return (
      <fieldset disabled={disabled}>
        <legend>{title}</legend>
        <div className="eh-attributes-options">
          {(attribute.choices ?? []).map((choice) => (
            <label key={choice}>
              <input
                type="checkbox"
                checked={chosen.includes(choice)}
                onChange={(event) => {
                  const next = (attribute.choices ?? []).filter((c) => (c === choice ? event.target.checked : chosen.includes(c)))
                  onChange(next.length === 0 ? undefined : next)
                }}
              />
              {choice}
            </label>
          ))}
        </div>
      </fieldset>
    )
  }
  if (attribute.type === 'choice' || attribute.type === 'boolean') {
    const choices = attribute.type === 'boolean' ? ['true', 'false'] : (attribute.choices ?? [])
    const word = (choice: string): string => (attribute.type === 'choice' ? choice : say(choice === 'true' ? 'image.attributes.yes' : 'image.attributes.no'))
    const current = value === undefined || value === null ? '' : String(value)
    return (
      <label>
        <span className="eh-attributes-label">{title}</span>
        <select
          value={current}
          disabled={disabled}
          onChange={(event) => {
            const next = event.target.value
            onChange(next === '' ? undefined : attribute.type === 'boolean' ? next === 'true' : next)
          }}
        >
          <option value="">{unset}</option>
          {current !== '' && !choices.includes(current) ? <option value={current}>{current}</option> : null}
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {word(choice)}
            </option>
          ))}
        </select>
      </label>
    )
  }
  const numeric = attribute.type === 'number'
  return (
    <label>
      <span className="eh-attributes-label">{title}</span>
      <Settled
        value={value === undefined || value === null ? '' : String(value)}
        placeholder={unset}
        numeric={numeric}
        disabled={disabled}
        onSettle={(text) => {
          if (text === '') onChange(undefined)
          else if (!numeric) onChange(text)
          else if (Number.isFinite(Number(text))) onChange(Number(text))
        }}
      />
    </label>
  )
}

function SizeFields({ surface, shape }: { surface: ImageSurface; shape: SpatialAnnotation }) {
  const b = shape.kind === 'box' ? shape : kindOf(shape).bounds(shape)
  const { board } = surface
  const number = (value: number): string => String(Math.round(value * 100) / 100)
  const degrees = shape.kind === 'box' ? (angleOf(shape) * 180) / Math.PI : 0
  const field = (short: string, name: string, value: number, onSettle: (n: number) => void) => (
    <label>
      <span aria-hidden="true">{short}</span>
      <Settled value={number(value)} numeric name={name} disabled={board.readOnly} onSettle={(text) => text !== '' && Number.isFinite(Number(text)) && onSettle(Number(text))} />
    </label>
  )
  const turns = shape.kind === 'box' && board.ontology.limits?.box?.can_rotate !== false
  return (
    <div className="eh-attributes-size">
      {field(say('image.attributes.width'), say('image.attributes.width.name'), b.w, (w) => surface.setSize([shape.id], { w }))}
      {field(say('image.attributes.height'), say('image.attributes.height.name'), b.h, (h) => surface.setSize([shape.id], { h }))}
      {turns ? field('°', say('image.attributes.angle.name'), degrees, (n) => setAngle(board, [shape.id], (n * Math.PI) / 180)) : null}
    </div>
  )
}

interface SettledProps {
  value: string
  placeholder?: string
  numeric: boolean
  name?: string
  disabled: boolean
  onSettle(text: string): void
}

/** A field that changes the shape when it is left or Enter is pressed: one entry in the history, not one per letter. */
function Settled({ value, placeholder, numeric, name, disabled, onSettle }: SettledProps) {
  const [text, setText] = useState(value)
  const id = useId()
  useEffect(() => setText(value), [value])
  const settle = () => {
    if (text.trim() !== value) onSettle(text.trim())
    // what was not taken goes back to what is
    setText(value)
  }
  return (
    <input
      id={id}
      value={text}
      inputMode={numeric ? 'decimal' : 'text'}
      placeholder={placeholder}
      aria-label={name}
      disabled={disabled}
      onChange={(event) => setText(event.target.value)}
      onBlur={settle}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === 'Enter') settle()
        if (event.key === 'Escape') setText(value)
      }}
    />
  )
}
