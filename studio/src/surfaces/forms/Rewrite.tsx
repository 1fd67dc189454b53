/** Making an answer better: the text, and what was changed in it. */
import { useMemo } from 'react'
import type { FieldAnnotation } from '../../model/types'
import { ChangedWords } from './ChangedWords'
import type { Typed } from './controls'
import { diffWords } from './diff'
import { nameOf } from './names'
import { put } from './put'
import { say } from './phrases'

export function Rewrite({ question, document, answer, answers, readOnly, id, described, gap }: Typed) {
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
        {differs ? <ChangedWords changes={changes} /> : say('forms.rewrite.same')}
      </div>
    </>
  )
}
