/** One question and the way to answer it. */
import { useId, useMemo, useState, type ReactNode } from 'react'
import type { ConversationAnswer, FieldAnnotation } from '../../model/types'
import { diffWords } from './diff'
import type { AnswerDocument } from './document'
import { answerTo, choiceOf, gradesOf, keyOfChoice, preferenceOf, scaleOf, titleOf, toggled, type Gap, type Question } from './questions'
import { say } from './phrases'
import './Ask.css'

export interface FieldProps {
  readonly question: Question
  readonly document: AnswerDocument
  readonly answers: readonly ConversationAnswer[]
  readonly gap?: Gap['why'] | undefined
  readonly readOnly?: boolean
  /** Number keys go here. */
  readonly active?: boolean
}

export function put(document: AnswerDocument, question: Question, before: FieldAnnotation | null, after: FieldAnnotation | null, join?: string): void {
  const title = titleOf(question.field)
  if (after) document.put(say('forms.mark.answer', { title }), after, join)
  else if (before) document.remove(say('forms.mark.clear', { title }), [before.id])
}

export function letterOf(answers: readonly ConversationAnswer[], id: string): string {
  return String.fromCharCode(65 + Math.max(0, answers.findIndex((answer) => answer.id === id)))
}

export function nameOf(answers: readonly ConversationAnswer[], answer: ConversationAnswer): string {
  return answer.title ?? say('forms.answer', { letter: letterOf(answers, answer.id) })
}

export function Field(props: FieldProps) {
  const { question, document, answers, gap } = props
  const { field, target } = question
  const id = useId()
  const answer = answerTo(question, document.annotations)
  const title = titleOf(field)
  const grouped = field.type !== 'text' && !(field.type === 'number' || (field.type === 'rating' && !scaleOf(field)))
  const label = (
    <>
      {title}
      {field.required ? <span className="eh-ask-required"> {say('forms.required')}</span> : null}
    </>
  )
  const described = [field.hint ? `${id}-hint` : '', gap ? `${id}-gap` : ''].filter(Boolean).join(' ') || undefined
  return (
    <div
      className={['eh-ask', props.active && 'eh-ask-active', gap && 'eh-ask-gap'].filter(Boolean).join(' ')}
      data-question={question.id}
      {...(grouped
        ? { role: field.type === 'choice' && field.multiple ? 'group' : 'radiogroup', 'aria-labelledby': `${id}-title`, ...(described ? { 'aria-describedby': described } : {}), ...(field.type === 'choice' && field.multiple ? {} : { 'aria-required': field.required ?? false }) }
        : {})}
    >
      {grouped ? (
        <div className="eh-ask-title" id={`${id}-title`}>
          {label}
          {target ? <span className="eh-sr">, {nameOf(answers, target)}</span> : null}
        </div>
      ) : (
        <label className="eh-ask-title" htmlFor={`${id}-input`}>
          {label}
          {target ? <span className="eh-sr">, {nameOf(answers, target)}</span> : null}
        </label>
      )}
      {field.hint ? (
        <p className="eh-ask-hint" id={`${id}-hint`}>
          {field.hint}
        </p>
      ) : null}
      {control(props, answer, `${id}-input`, described)}
      {gap ? (
        <p className="eh-ask-problem" id={`${id}-gap`}>
          {say(`forms.gap.${gap}`)}
        </p>
      ) : null}
    </div>
  )
}

function control(props: FieldProps, answer: FieldAnnotation | null, id: string, described: string | undefined): ReactNode {
  const { field } = props.question
  switch (field.type) {
    case 'choice':
      return <Choices {...props} answer={answer} />
    case 'preference':
      return <Preference {...props} answer={answer} />
    case 'text':
      return field.prefill === 'answer' ? <Rewrite {...props} answer={answer} id={id} described={described} /> : <Words {...props} answer={answer} id={id} described={described} />
    case 'rating':
    case 'number':
      return scaleOf(field) ? <Scale {...props} answer={answer} /> : <Amount {...props} answer={answer} id={id} described={described} />
  }
}

type Answered = FieldProps & { readonly answer: FieldAnnotation | null }
type Typed = Answered & { readonly id: string; readonly described: string | undefined }

const MANY = 9

function Choices({ question, document, answer, readOnly }: Answered) {
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

function Words({ question, document, answer, readOnly, id, described, gap }: Typed) {
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

function Amount({ question, document, answer, readOnly, id, described, gap }: Typed) {
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

function Scale({ question, document, answer, readOnly }: Answered) {
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

function Preference({ question, document, answer, answers, readOnly }: Answered) {
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

function Rewrite({ question, document, answer, answers, readOnly, id, described, gap }: Typed) {
  const { field, target } = question
  const preferred = document.annotations.find((one) => one.kind === 'preference')
  const winner = preferred?.kind === 'preference' ? preferred.winner : null
  const from = target?.id ?? (answer?.kind === 'text' ? answer.target : undefined) ?? winner ?? answers[0]?.id
  const source = answers.find((one) => one.id === from)
  const original = source?.text ?? ''
  const text = answer?.kind === 'text' ? answer.text : original
  const make = (next: string, whose = from): FieldAnnotation => ({ id: answer?.id ?? question.id, kind: 'text', field: field.key, text: next, ...(whose === undefined ? {} : { target: whose }) })
  const changes = useMemo(() => diffWords(original, text), [original, text])
  const differs = changes.some((change) => change.op !== 'same')
  return (
    <>
      {!target && answers.length > 1 && !readOnly ? (
        <div className="eh-rewrite-from">
          {answers.map((one) => (
            <button key={one.id} type="button" className={one.id === from ? 'eh-button eh-button-small eh-choice-on' : 'eh-button eh-button-small'} aria-pressed={one.id === from} onClick={() => put(document, question, answer, make(one.text, one.id))}>
              {say('forms.rewrite.from', { answer: nameOf(answers, one) })}
            </button>
          ))}
        </div>
      ) : null}
      <textarea
        id={id}
        className="eh-ask-input eh-rewrite-text"
        dir="auto"
        rows={6}
        readOnly={readOnly ?? false}
        value={text}
        aria-describedby={described}
        aria-required={field.required ?? false}
        aria-invalid={gap !== undefined}
        onChange={(event) => put(document, question, answer, make(event.target.value), `text:${question.id}`)}
      />
      <div className="eh-rewrite-foot">
        {answer === null && !readOnly ? (
          <button type="button" className="eh-button eh-button-small" onClick={() => put(document, question, answer, make(original))}>
            {say('forms.rewrite.keep')}
          </button>
        ) : null}
        {answer !== null && !readOnly ? (
          <button type="button" className="eh-button eh-button-small" onClick={() => put(document, question, answer, null)}>
            {say('forms.rewrite.reset')}
          </button>
        ) : null}
        <span className="eh-ask-hint">{say('forms.text.count', { count: [...text].length })}</span>
      </div>
      <div className="eh-rewrite-diff" dir="auto" tabIndex={0} role="group" aria-label={say('forms.rewrite.diff')}>
        {differs
          ? changes.map((change, at) =>
              change.op === 'same' ? (
                <span key={at}>{change.text}</span>
              ) : change.op === 'gone' ? (
                <del key={at}>{change.text}</del>
              ) : (
                <ins key={at}>{change.text}</ins>
              ),
            )
          : say('forms.rewrite.same')}
      </div>
    </>
  )
}
