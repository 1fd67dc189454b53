import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { AreaField, Segments } from '../../../ui/Field'
import { formatAgo, formatDate, t } from '../../../ui/messages'
import { Link, useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { toast } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { to } from '../paths'
import type { List, Project, Question } from '../types'

/** Questions from annotators: one answer reaches everybody through the instructions. */
export function QuestionsTab({ project }: { project: Project }) {
  const list = useApi<List<Question>>('/questions', { query: { project: project.id, limit: 200 }, poll: 15_000 })
  const [query, setQuery] = useQuery()
  const answered = query.get('show') === 'answered'
  const rows = (list.data?.items ?? []).filter((question) => (question.answer !== null) === answered)
  return (
    <div className="eh-stack eh-narrow">
      <div className="eh-section-head">
        <p className="eh-muted">{t('console.questions.text')}</p>
        <Segments
          label={t('console.questions.show')}
          hideLabel
          value={answered ? 'answered' : 'open'}
          options={[
            { value: 'open', label: t('console.questions.open') },
            { value: 'answered', label: t('console.questions.answered') },
          ]}
          onValue={(value) => setQuery({ show: value === 'answered' ? value : null })}
        />
      </div>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Skeleton lines={4} /> : null}
      {list.data && rows.length === 0 ? <EmptyState icon="chat" title={t(answered ? 'console.questions.none-answered' : 'console.questions.none')} text={t('console.questions.none.text')} /> : null}
      <ul className="eh-qa">
        {rows.map((question) => (
          <QuestionItem key={question.id} question={question} project={project} />
        ))}
      </ul>
    </div>
  )
}

function QuestionItem({ question, project }: { question: Question; project: Project }) {
  const { org } = useSignedIn()
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [key] = useState(newKey)
  const answer = async () => {
    setBusy(true)
    setError(null)
    try {
      await api.post(`/questions/${question.id}/answer`, { text: text.trim() }, { key })
      refresh('/questions', `/projects/${project.id}`)
      toast(t('console.questions.sent'), 'ok')
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  return (
    <li className="eh-card eh-stack-2">
      <div className="eh-row">
        <strong className="eh-grow">{question.question}</strong>
      </div>
      <div className="eh-row eh-muted eh-small">
        <time dateTime={question.asked_at} title={formatDate(question.asked_at, 'full')}>
          {t('console.questions.asked', { when: formatAgo(question.asked_at) })}
        </time>
        {question.task ? <Link to={to.task(project.id, question.task)}>{t('console.questions.task')}</Link> : null}
      </div>
      {question.answer !== null ? (
        <>
          <p>{question.answer}</p>
          {question.answered_at ? <p className="eh-muted eh-small">{t('console.questions.answered-at', { when: formatAgo(question.answered_at) })}</p> : null}
        </>
      ) : mayWrite(org) ? (
        <form
          className="eh-stack-2"
          onSubmit={(event) => {
            event.preventDefault()
            if (text.trim()) void answer()
          }}
        >
          <AreaField label={t('console.questions.answer')} hint={t('console.questions.answer.hint')} rows={2} value={text} onText={setText} />
          <ErrorNote error={error} />
          <div>
            <Button type="submit" look="primary" busy={busy} disabled={!text.trim()}>
              {t('console.questions.send')}
            </Button>
          </div>
        </form>
      ) : null}
    </li>
  )
}
