/** Tasks that are answered by questions: conversations, and tasks without a medium. `QuestionList` also stands beside pictures and texts. */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { Conversation, ConversationAnswer, Ontology, TaskData } from '../../model/types'
import { Markdown } from '../markdown/Markdown'
import type { AnswerDocument } from './document'
import type { Other } from './compare'
import { Field } from './Field'
import { letterOf, nameOf } from './names'
import { answerByKey, inTurn } from './keys'
import { answersOf, answerTo, applying, questionsOf, type Gap, type Question } from './questions'
import { say } from './phrases'
import './FormSurface.css'

export interface FormProps {
  readonly ontology: Ontology
  readonly data: TaskData
  readonly document: AnswerDocument
  readonly gaps?: readonly Gap[]
  readonly readOnly?: boolean
  /** Another answer to stand beside this one, question by question. */
  readonly other?: Other | null
  /** True when number keys belong to the questions even while the focus is elsewhere. */
  readonly ownsKeys?: boolean
}

function useDocument(document: AnswerDocument): void {
  useSyncExternalStore(
    useCallback((listener: () => void) => document.on(listener), [document]),
    () => document.scene,
  )
}

/** The questions that apply now; a list that stays the same object while the same ones do. */
function useQuestions({ ontology, data, document, other }: FormProps): readonly Question[] {
  useDocument(document)
  const all = useMemo(() => questionsOf(ontology, data), [ontology, data])
  // What only the other answer was asked is shown as well: it is a difference.
  const also = other ? new Set(applying(all, other.annotations, ontology).filter((question) => answerTo(question, other.annotations))) : null
  const here = new Set(applying(all, document.annotations, ontology))
  const now = all.filter((question) => here.has(question) || also?.has(question))
  const kept = useRef(now)
  if (kept.current.length !== now.length || kept.current.some((one, at) => one !== now[at])) kept.current = now
  return kept.current
}

export function FormSurface(props: FormProps) {
  const { data, document } = props
  const questions = useQuestions(props)
  const { root, active } = useKeys(questions, props, true)
  if (data.medium !== 'conversation') {
    return (
      <div className="eh-form" ref={root} data-eh-surface="form">
        <div className="eh-form-column">
          <Fields {...props} questions={questions} active={active} />
        </div>
      </div>
    )
  }
  const { conversation } = data
  const whole = questions.filter((question) => question.target === null)
  return (
    <div className="eh-form" ref={root} data-eh-surface="form">
      <div className="eh-form-wide">
        <Messages conversation={conversation} />
        {conversation.answers.length ? (
          <div className={conversation.answers.length === 2 ? 'eh-answers eh-answers-two' : 'eh-answers'} role="group" aria-label={say('forms.answers')}>
            {conversation.answers.map((answer) => (
              <AnswerPane key={answer.id} answer={answer} all={conversation.answers} winner={isWinner(document, answer)}>
                <Fields {...props} questions={questions.filter((question) => question.target?.id === answer.id)} active={active} />
              </AnswerPane>
            ))}
          </div>
        ) : null}
        <div className="eh-form-column">
          <Fields {...props} questions={whole} active={active} />
        </div>
      </div>
    </div>
  )
}

/** The questions of a task whose medium has a surface of its own. */
export function QuestionList(props: FormProps) {
  const questions = useQuestions(props)
  const { root, active } = useKeys(questions, props, props.ownsKeys ?? false)
  if (questions.length === 0) return null
  return (
    <div className="eh-questions" ref={root} role="group" aria-label={say('forms.questions')}>
      <Fields {...props} questions={questions} active={active} />
    </div>
  )
}

function Fields({ questions, document, data, gaps, readOnly, other, active }: FormProps & { readonly questions: readonly Question[]; readonly active: string | null }) {
  const answers = answersOf(data)
  return questions.map((question) => (
    <Field
      key={question.id}
      question={question}
      document={document}
      answers={answers}
      gap={gaps?.find((gap) => gap.question.id === question.id)?.why}
      readOnly={readOnly ?? false}
      other={other ?? null}
      active={question.id === active}
    />
  ))
}

function isWinner(document: AnswerDocument, answer: ConversationAnswer): boolean {
  return document.annotations.some((one) => one.kind === 'preference' && one.winner === answer.id)
}

function Messages({ conversation }: { readonly conversation: Conversation }) {
  const known = { user: say('forms.role.user'), assistant: say('forms.role.assistant'), system: say('forms.role.system') } as Readonly<Record<string, string>>
  return (
    <ol className="eh-messages" aria-label={say('forms.conversation')}>
      {conversation.messages.map((message, at) => (
        <li key={at} className={message.role === 'user' ? 'eh-message eh-message-user' : 'eh-message'}>
          <div className="eh-message-role">{known[message.role] ?? message.role}</div>
          <Markdown source={message.text} />
        </li>
      ))}
    </ol>
  )
}

function AnswerPane({ answer, all, winner, children }: { readonly answer: ConversationAnswer; readonly all: readonly ConversationAnswer[]; readonly winner: boolean; readonly children: React.ReactNode }) {
  const name = nameOf(all, answer)
  return (
    <section className={winner ? 'eh-answer eh-answer-winner' : 'eh-answer'} aria-label={name}>
      <header className="eh-answer-head">
        <span className="eh-answer-letter" aria-hidden="true">
          {letterOf(all, answer.id)}
        </span>
        <h2>{name}</h2>
      </header>
      <div className="eh-answer-text" tabIndex={0} role="group" aria-label={name}>
        <Markdown source={answer.text} />
      </div>
      <div className="eh-answer-fields">{children}</div>
    </section>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function useKeys(questions: readonly Question[], { document, data, readOnly }: FormProps, everywhere: boolean) {
  const root = useRef<HTMLDivElement>(null)
  const [focused, setFocused] = useState<string | null>(null)
  useEffect(() => {
    const own = root.current
    if (!own || readOnly) return
    const answers = answersOf(data)
    const onFocus = (event: FocusEvent): void => setFocused((event.target as Element).closest('[data-question]')?.getAttribute('data-question') ?? null)
    const onBlur = (): void => setFocused(null)
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const target = event.target as Element
      if (target.closest('[role=dialog],[role=menu]')) return
      if (!everywhere && !own.contains(target)) return
      const focus = own.contains(target) ? (target.closest('[data-question]')?.getAttribute('data-question') ?? null) : null
      const question = inTurn(questions, document, focus)
      if (question && roves(event, target)) return event.preventDefault()
      if (question && answerByKey(question, document, answers, event.key)) event.preventDefault()
    }
    own.addEventListener('focusin', onFocus)
    own.addEventListener('focusout', onBlur)
    window.addEventListener('keydown', onKey)
    return () => {
      own.removeEventListener('focusin', onFocus)
      own.removeEventListener('focusout', onBlur)
      window.removeEventListener('keydown', onKey)
    }
  }, [questions, document, data, readOnly, everywhere])
  const active = readOnly ? null : (inTurn(questions, document, focused)?.id ?? null)
  return { root, active: everywhere || focused ? active : null }
}

/** Arrow keys go from option to option. */
function roves(event: KeyboardEvent, target: Element): boolean {
  const forward = event.key === 'ArrowDown' || event.key === 'ArrowRight'
  const back = event.key === 'ArrowUp' || event.key === 'ArrowLeft'
  const group = target.closest('[data-question]')
  if (!(forward || back) || !group || !/^(radio|checkbox)$/.test(target.getAttribute('role') ?? '')) return false
  const options = [...group.querySelectorAll<HTMLElement>('[role=radio],[role=checkbox]')]
  const at = options.indexOf(target as HTMLElement)
  options[(at + (forward ? 1 : options.length - 1)) % options.length]?.focus()
  return true
}
