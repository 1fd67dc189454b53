/** Instructions beside the work: searchable, with what changed and the questions that were answered. */
import { useEffect, useRef, useState } from 'react'
import { Markdown } from '../../surfaces/markdown/Markdown'
import { parseMarkdown, plainText } from '../../surfaces/markdown/parse'
import { ErrorNote } from '../../ui/ErrorNote'
import { formatAgo, formatDate } from '../../ui/messages'
import { Skeleton } from '../../ui/Skeleton'
import { Drawer } from './Drawer'
import type { Instructions } from './types'
import { say } from './phrases'

interface Props {
  readonly name: string
  readonly state: { readonly instructions: Instructions | null; readonly error: unknown }
  readonly retry: () => void
  readonly onClose: () => void
}

export function InstructionsDrawer({ name, state, retry, onClose }: Props) {
  const [find, setFind] = useState('')
  const { instructions, error } = state
  const body = useRef<HTMLDivElement>(null)
  const wanted = find.trim()
  const places = wanted && instructions ? count(plainText(parseMarkdown(instructions.markdown)) + instructions.questions.map((one) => `${one.question}\n${one.answer}`).join('\n'), wanted) : 0
  useEffect(() => {
    if (wanted) body.current?.querySelector('mark')?.scrollIntoView({ block: 'center' })
  }, [wanted])
  return (
    <Drawer
      title={`${say('work.instructions')}: ${name}`}
      onClose={onClose}
      head={
        <div className="eh-drawer-find" role="search">
          <input type="search" value={find} placeholder={say('work.instructions.find')} aria-label={say('work.instructions.find')} onChange={(event) => setFind(event.target.value)} />
          {wanted ? (
            <span className="eh-small eh-muted" role="status">
              {say('work.instructions.found', { count: places })}
            </span>
          ) : null}
        </div>
      }
    >
      {instructions ? null : error ? <ErrorNote error={error} retry={retry} /> : <Skeleton lines={6} />}
      {instructions ? (
        <div ref={body} className="eh-stack">
          {instructions.version > 0 ? (
            <p className="eh-small eh-muted">{say('work.instructions.version', { version: instructions.version, when: formatAgo(instructions.changed_at) })}</p>
          ) : null}
          {instructions.markdown.trim() ? <Markdown source={instructions.markdown} find={wanted} /> : <p className="eh-muted">{say('work.instructions.empty')}</p>}
          <Questions instructions={instructions} find={wanted} />
          <Changes instructions={instructions} />
        </div>
      ) : null}
    </Drawer>
  )
}

function Questions({ instructions, find }: { readonly instructions: Instructions; readonly find: string }) {
  if (instructions.questions.length === 0) return null
  return (
    <section>
      <h3>{say('work.instructions.questions')}</h3>
      <ul className="eh-drawer-list">
        {instructions.questions.map((one, at) => (
          <li key={at} className="eh-drawer-card">
            <strong>{one.question}</strong>
            {one.answer ? <Markdown source={one.answer} top={4} find={find} /> : <span className="eh-muted">{say('work.instructions.unanswered')}</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Changes({ instructions }: { readonly instructions: Instructions }) {
  if (instructions.changes.length === 0) return null
  return (
    <section>
      <h3>{say('work.instructions.changes')}</h3>
      <ul className="eh-drawer-list">
        {instructions.changes.map((change) => (
          <li key={change.version}>
            <span>{change.summary}</span>
            <div className="eh-small eh-muted">{say('work.instructions.version', { version: change.version, when: formatDate(change.at) })}</div>
          </li>
        ))}
      </ul>
    </section>
  )
}

function count(text: string, wanted: string): number {
  const low = text.toLowerCase()
  const needle = wanted.toLowerCase()
  let found = 0
  for (let at = low.indexOf(needle); at >= 0; at = low.indexOf(needle, at + needle.length)) found++
  return found
}
