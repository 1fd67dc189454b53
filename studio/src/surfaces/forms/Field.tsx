/** One question and the way to answer it. */
import { useId, type ReactNode } from 'react'
import type { ConversationAnswer, FieldAnnotation } from '../../model/types'
import { Beside } from './Beside'
import { comparedOn, type Other } from './compare'
import { Amount, Choices, Preference, Scale, Words } from './controls'
import type { AnswerDocument } from './document'
import { nameOf } from './names'
import { answerTo, scaleOf, titleOf, type Gap, type Question } from './questions'
import { Rewrite } from './Rewrite'
import { say } from './phrases'
import './Ask.css'

export interface FieldProps {
  readonly question: Question
  readonly document: AnswerDocument
  readonly answers: readonly ConversationAnswer[]
  readonly gap?: Gap['why'] | undefined
  readonly readOnly?: boolean
  /** Another answer to stand beside this one. */
  readonly other?: Other | null
  /** Number keys go here. */
  readonly active?: boolean
}

export function Field(props: FieldProps) {
  const { question, document, answers, gap, other } = props
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
  const differs = other && comparedOn(question, document.annotations, other.annotations)?.same === false
  const described = [field.hint ? `${id}-hint` : '', gap ? `${id}-gap` : ''].filter(Boolean).join(' ') || undefined
  return (
    <div
      className={['eh-ask', props.active && 'eh-ask-active', gap && 'eh-ask-gap', differs && 'eh-ask-differs'].filter(Boolean).join(' ')}
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
      {other ? <Beside question={question} document={document} answers={answers} other={other} readOnly={props.readOnly ?? false} /> : null}
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

