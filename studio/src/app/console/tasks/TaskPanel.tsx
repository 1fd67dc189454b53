import { Badge } from '../../../ui/Badge'
import { ErrorNote } from '../../../ui/ErrorNote'
import { SelectField } from '../../../ui/Field'
import { Icon } from '../../../ui/Icon'
import { formatAgo, formatDate, formatDuration, t } from '../../../ui/messages'
import { navigate, useQuery } from '../../../ui/router'
import { SidePanel } from '../../../ui/SidePanel'
import { Skeleton } from '../../../ui/Skeleton'
import { refresh, useApi } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { stateLook } from '../numbers'
import { detailText, factText } from '../facts'
import { to } from '../paths'
import { CallbackLog } from '../project/Callbacks'
import type { Batch, HistoryItem, List, Project, Task } from '../types'
import { ResultView } from './ResultView'
import { TaskMenu } from './TaskMenu'
import { Verdict } from './Verdict'

/** One task beside the list: what was asked, what was answered, who touched it, and what the customer says to it. */
export function TaskPanel({ id, project, onClose, onChanged }: { id: string; project: Project; onClose: () => void; onChanged: () => void }) {
  const { data: task, error, reload } = useApi<Task>(`/tasks/${id}`, { poll: 10_000 })
  const { org } = useSignedIn()
  const [query, setQuery] = useQuery()
  const writes = mayWrite(org)
  const changed = () => {
    refresh(`/tasks/${id}`, `/projects/${project.id}`)
    onChanged()
  }
  const title = task ? task.name || task.excerpt?.slice(0, 60) || t('console.task') : t('console.task')
  return (
    <SidePanel
      title={title}
      onClose={onClose}
      actions={task && writes ? <TaskMenu task={task} onChanged={changed} /> : null}
    >
      {task ? (
        <TaskBody task={task} project={project} view={query.get('view')} onView={(view) => setQuery({ view }, { replace: true })} writes={writes} onChanged={changed} />
      ) : error ? (
        <ErrorNote error={error} retry={reload} />
      ) : (
        <Skeleton lines={8} />
      )}
    </SidePanel>
  )
}

function TaskBody({ task, project, view, onView, writes, onChanged }: {
  task: Task
  project: Project
  view: string | null
  onView: (view: string | null) => void
  writes: boolean
  onChanged: () => void
}) {
  const answer = task.answers.find((item) => item.id === view) ?? null
  const chosen = answer?.annotations ?? task.result?.annotations ?? task.answers.find((item) => item.state === 'current')?.annotations ?? task.data.prelabels ?? []
  const error = task.error ? (typeof task.error === 'string' ? task.error : (task.error.detail ?? task.error.code ?? '')) : null
  return (
    <>
      <div className="eh-stack">
        <div className="eh-row">
          <Badge look={stateLook[task.state]} dot>
            {t(`console.state.${task.state}`)}
          </Badge>
          {task.flags.map((flag) => (
            <Badge key={flag} look={flag === 'rejected' ? 'danger' : 'warn'}>
              {t(`console.flag.${flag}`)}
            </Badge>
          ))}
          <span className="eh-grow" />
          {task.answers.length ? (
            <SelectField
              small
              label={<span className="eh-sr">{t('console.result.whose')}</span>}
              value={answer?.id ?? ''}
              options={[
                { value: '', label: t(task.result ? 'console.result.final' : 'console.result.latest') },
                ...task.answers.map((item) => ({ value: item.id, label: t('console.result.by', { who: item.by, state: t(`console.answer.${item.state}`) }) })),
              ]}
              onValue={(id) => onView(id || null)}
            />
          ) : null}
        </div>
        {error ? (
          <div className="eh-error" role="note">
            <Icon name="warn" />
            <div>
              <div className="eh-error-title">{t('console.task.error')}</div>
              {error}
              <div>{t('console.task.error.hint')}</div>
            </div>
          </div>
        ) : null}
        <ResultView key={`${task.id} ${answer?.id ?? ''}`} data={task.data} ontology={task.ontology} annotations={chosen} empty={t(task.answers.length ? 'console.result.empty' : 'console.result.none')} viewer={task.viewer ?? ''} />
        {answer ? (
          <p className="eh-muted eh-small">
            {t('console.answer.meta', { who: answer.by, when: formatDate(answer.submitted_at), time: formatDuration(answer.seconds) })}
            {answer.late ? ` · ${t('console.flag.late')}` : ''}
            {answer.extra ? ` · ${t('console.flag.extra')}` : ''}
          </p>
        ) : null}
      </div>
      <Reviews task={task} />
      <Facts task={task} project={project} />
      <History id={task.id} />
      <section className="eh-panel-section">
        <CallbackLog task={task.id} writes={writes} />
      </section>
      {writes && task.state === 'done' && task.answers.length ? <Verdict task={task} answer={answer} onChanged={onChanged} /> : null}
    </>
  )
}

function Reviews({ task }: { task: Task }) {
  if (!task.reviews.length) return null
  return (
    <section className="eh-panel-section eh-stack-2">
      <h3>{t('console.reviews')}</h3>
      {task.reviews.map((review) => (
        <div key={review.id} className="eh-row">
          <Badge look={review.decision === 'accept' ? 'ok' : review.decision === 'fix' ? 'warn' : 'danger'}>{t(`console.decided.${review.decision}`)}</Badge>
          <span>{review.by}</span>
          <span className="eh-muted eh-small">{formatAgo(review.at)}</span>
          {review.comment ? <span className="eh-grow">“{review.comment}”</span> : null}
        </div>
      ))}
    </section>
  )
}

function Facts({ task, project }: { task: Task; project: Project }) {
  const batches = useApi<List<Batch>>(task.batch ? `/projects/${project.id}/batches` : null, { query: { limit: 200 } })
  const batch = batches.data?.items.find((item) => item.id === task.batch)
  const metadata = Object.keys(task.metadata).length ? JSON.stringify(task.metadata, null, 1) : null
  const rows: [string, React.ReactNode][] = [
    [t('console.task.id'), <code key="id">{task.id}</code>],
    ...(task.unique_id ? [[t('console.task.unique-id'), <code key="u">{task.unique_id}</code>] as [string, React.ReactNode]] : []),
    ...(task.batch
      ? [
          [
            t('console.batch'),
            <a
              key="b"
              href={to.tasks(project.id, { batch: task.batch })}
              onClick={(event) => {
                event.preventDefault()
                navigate(to.tasks(project.id, { batch: task.batch ?? '' }))
              }}
            >
              {batch?.name ?? task.batch}
            </a>,
          ] as [string, React.ReactNode],
        ]
      : []),
    [t('console.created'), formatDate(task.created_at)],
    ...(task.completed_at ? [[t('console.completed'), formatDate(task.completed_at)] as [string, React.ReactNode]] : []),
    ...(task.tags.length ? [[t('console.filter.tag'), task.tags.join(', ')] as [string, React.ReactNode]] : []),
    ...(metadata ? [[t('console.task.metadata'), <code key="m">{metadata}</code>] as [string, React.ReactNode]] : []),
  ]
  return (
    <section className="eh-panel-section eh-stack-2">
      <h3>{t('console.task.facts')}</h3>
      <dl className="eh-meta">
        {rows.map(([name, value]) => [<dt key={`${name}t`}>{name}</dt>, <dd key={name}>{value}</dd>])}
      </dl>
    </section>
  )
}

function History({ id }: { id: string }) {
  const { data, error } = useApi<List<HistoryItem>>(`/tasks/${id}/history`, { poll: 15_000 })
  return (
    <section className="eh-panel-section eh-stack-2">
      <h3>{t('console.history')}</h3>
      {error && !data ? <ErrorNote error={error} /> : null}
      {data ? (
        <ol className="eh-history">
          {data.items.map((item, at) => (
            <li key={at}>
              <strong>{item.who}</strong> {factText(item.what)}{' '}
              <time className="eh-muted eh-small" dateTime={item.at} title={formatDate(item.at, 'full')}>
                {formatDate(item.at)}
              </time>
              {detailText(item.detail) ? <div className="eh-muted eh-small eh-break">{detailText(item.detail)}</div> : null}
            </li>
          ))}
        </ol>
      ) : error ? null : (
        <Skeleton />
      )}
    </section>
  )
}
