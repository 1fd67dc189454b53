/** The ways to answer a question. */
import { useState } from 'react'
import type { FieldAnnotation } from '../../model/types'
import type { FieldProps } from './Field'
import { letterOf, nameOf } from './names'
import { put } from './put'
import { choiceOf, gradesOf, keyOfChoice, preferenceOf, scaleOf, toggled } from './questions'
import { say } from './phrases'

export type Answered = FieldProps & { readonly answer: FieldAnnotation | null }
export type Typed = Answered & { readonly id: string; readonly described: string | undefined }

const MANY = 9

export function Choices({ question, document, answer, readOnly }: Answered) {
  const { field } = question
  const [typed, setTyped] = useState('')
  const choices = field.choices ?? []
  const held = answer?.kind === 'choice' ? answer.values : []
  const wanted = typed.trim().toLowerCase()
  const shown = choices.map((choice, at) => ({ choice, at })).filter(({ choice }) => `${choice.label ?? ''} ${choice.value}`.toLowerCase().includes(wanted))
  const strange = held.filter((value) => !choices.some((choice) => choice.value === value))
  return (
    <>
      {field.multiple ? <p className="eh-ask-hint">{say('forms.choice.many')}</p> : null}
      {choices.length > MANY ? (
        <input className="eh-ask-input" type="search" value={typed} aria-label={say('forms.filter')} placeholder={say('forms.filter')} onChange={(event) => setTyped(event.target.value)} />
      ) : null}
      <div className="eh-choices">
        {shown.map(({ choice, at }) => {
          const on = held.includes(choice.value)
          const key = keyOfChoice(field, at)
          return (
            <button
              key={choice.value}
              type="button"
              role={field.multiple ? 'checkbox' : 'radio'}
              aria-checked={on}
              disabled={readOnly}
              className={on ? 'eh-choice eh-choice-on' : 'eh-choice'}
              onClick={() => put(document, question, answer, toggled(question, choice.value, answer))}
            >
              <span className={field.multiple ? 'eh-choice-box' : 'eh-choice-dot'} aria-hidden="true" />
              <span className="eh-choice-text" dir="auto">
                {choice.label ?? choice.value}
              </span>
              {key ? (
                <kbd className="eh-choice-key" aria-hidden="true">
                  {key.toUpperCase()}
                </kbd>
              ) : null}
            </button>
          )
        })}
        {strange.map((value) => (
          <button
            key={value}
            type="button"
            role="checkbox"
            aria-checked="true"
            className="eh-choice eh-choice-on eh-choice-strange"
            disabled={readOnly}
            onClick={() => {
              const rest = held.filter((one) => one !== value)
              put(document, question, answer, rest.length ? choiceOf(question, rest, answer) : null)
            }}
          >
            <span className="eh-choice-text">{value}</span>
          </button>
        ))}
        {shown.length === 0 ? <p className="eh-ask-hint">{say('forms.filter.none')}</p> : null}
      </div>
    </>
  )
}

export function Words({ question, document, answer, readOnly, id, described, gap }: Typed) {
  const { field, target } = question
  const text = answer?.kind === 'text' ? answer.text : ''
  const change = (next: string): void =>
    put(document, question, answer, next === '' ? null : { id: answer?.id ?? question.id, kind: 'text', field: field.key, text: next, ...(target ? { target: target.id } : {}) }, `text:${question.id}`)
  const shared = {
    id,
    value: text,
    readOnly: readOnly ?? false,
    dir: 'auto' as const,
    className: 'eh-ask-input',
    placeholder: say('forms.text.place'),
    'aria-describedby': described,
    'aria-required': field.required ?? false,
    'aria-invalid': gap !== undefined,
  }
  return field.long ? (
    <textarea {...shared} rows={4} onChange={(event) => change(event.target.value)} />
  ) : (
    <input {...shared} type="text" onChange={(event) => change(event.target.value)} />
  )
}

export function Amount({ question, document, answer, readOnly, id, described, gap }: Typed) {
  const { field, target } = question
  const value = answer?.kind === 'rating' ? answer.value : null
  // What is typed may not be a number yet ("-", "1.") and must not be taken away from under the fingers.
  const [typed, setTyped] = useState<string | null>(null)
  const range =
    field.min !== undefined && field.max !== undefined
      ? say('forms.number.range', { min: field.min, max: field.max })
      : field.min !== undefined
        ? say('forms.number.least', { min: field.min })
        : field.max !== undefined
          ? say('forms.number.most', { max: field.max })
          : ''
  return (
    <div className="eh-ask-amount">
      <input
        id={id}
        className="eh-ask-input"
        type="text"
        inputMode="decimal"
        readOnly={readOnly ?? false}
        value={typed !== null && Number(typed.replace(',', '.')) === value ? typed : typed !== null && value === null ? typed : (value ?? '')}
        aria-describedby={described}
        aria-required={field.required ?? false}
        aria-invalid={gap !== undefined}
        onChange={(event) => {
          const next = event.target.value
          setTyped(next)
          const number = next.trim() === '' ? Number.NaN : Number(next.replace(',', '.'))
          const fine = Number.isFinite(number)
          put(document, question, answer, fine ? { id: answer?.id ?? question.id, kind: 'rating', field: field.key, value: number, ...(target ? { target: target.id } : {}) } : null, `number:${question.id}`)
        }}
        onBlur={() => setTyped(null)}
      />
      {range ? <span className="eh-ask-hint">{range}</span> : null}
    </div>
  )
}

export function Scale({ question, document, answer, readOnly }: Answered) {
  const { field, target } = question
  const steps = scaleOf(field) ?? []
  const value = answer?.kind === 'rating' ? answer.value : null
  const max = steps.at(-1) ?? 0
  return (
    <div className="eh-scale">
      {steps.map((step) => (
        <button
          key={step}
          type="button"
          role="radio"
          aria-checked={step === value}
          aria-label={say('forms.rating.of', { value: step, max })}
          disabled={readOnly}
          className={step === value ? 'eh-scale-step eh-choice-on' : 'eh-scale-step'}
          onClick={() => put(document, question, answer, step === value ? null : { id: answer?.id ?? question.id, kind: 'rating', field: field.key, value: step, ...(target ? { target: target.id } : {}) })}
        >
          {step}
        </button>
      ))}
    </div>
  )
}

export function Preference({ question, document, answer, answers, readOnly }: Answered) {
  const grades = gradesOf(answers)
  const held = answer?.kind === 'preference' ? answer : null
  return (
    <div className="eh-prefer">
      {grades.map((grade, at) => {
        const on = held !== null && held.winner === grade.winner && held.strength === grade.strength
        const winner = answers.find((one) => one.id === grade.winner)
        const strength = say(`forms.prefer.${grade.strength}`)
        return (
          <button
            key={at}
            type="button"
            role="radio"
            aria-checked={on}
            aria-label={winner ? say('forms.prefer.name', { answer: nameOf(answers, winner), strength }) : strength}
            disabled={readOnly}
            className={on ? 'eh-prefer-step eh-choice-on' : 'eh-prefer-step'}
            onClick={() => put(document, question, answer, on ? null : preferenceOf(question, grade, answer))}
          >
            <span className="eh-prefer-who">{winner ? letterOf(answers, winner.id) : '='}</span>
            <span>{strength}</span>
            <kbd className="eh-choice-key" aria-hidden="true">
              {at + 1}
            </kbd>
          </button>
        )
      })}
    </div>
  )
}
