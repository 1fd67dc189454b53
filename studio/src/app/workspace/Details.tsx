/** The panel on the right: what is labelled, its questions, what the task says about itself, and the history. */
import type { ImageSurface } from '../../surfaces/image/surface'
import { AnnotationList } from '../../surfaces/image/AnnotationList'
import { AttributePanel } from '../../surfaces/image/AttributePanel'
import { QuestionList } from '../../surfaces/forms/FormSurface'
import { Markdown } from '../../surfaces/markdown/Markdown'
import { safeLink } from '../../surfaces/markdown/safe'
import { TextPanel } from '../../surfaces/text/TextPanel'
import { formatDate, t, type MessageKey } from '../../ui/messages'
import { readableHistory, type Desk } from './desk'
import { say } from './phrases'
import { useCompared } from './useCompared'
import './Details.css'

interface Props {
  readonly desk: Desk
  readonly surface: ImageSurface | null
  readonly compareWith: string | null
}

export function Details({ desk, surface, compareWith }: Props) {
  const other = useCompared(desk, compareWith)
  const { data, message, answer, ontology, instructions } = desk.held.assignment
  const { document } = desk
  const beside = (data.medium === 'image' || data.medium === 'text') && ontology.fields.length > 0
  const classes = ontology.classes.some((one) => one.kinds.includes('span'))
  return (
    <div className="eh-details">
      {message ? (
        <section className="eh-details-returned">
          <h2>{say(answer ? 'work.returned' : 'work.told')}</h2>
          <p>{message}</p>
        </section>
      ) : null}
      {desk.suggested > 0 ? <p className="eh-small eh-muted">{say('work.prelabelled', { count: desk.suggested })}</p> : null}
      {instructions ? (
        <section>
          <h2>{say('work.own-instructions')}</h2>
          <Markdown source={instructions} />
        </section>
      ) : null}
      {data.context ? (
        <section>
          <h2>{say('work.context')}</h2>
          <Markdown source={data.context} />
        </section>
      ) : null}
      {data.references?.length ? <References references={data.references} /> : null}
      {beside && document ? (
        <section>
          <QuestionList key={desk.key} ontology={ontology} data={data} document={document} gaps={desk.gaps} other={other} ownsKeys={ontology.classes.length === 0} />
        </section>
      ) : null}
      {desk.text && classes ? <TextPanel key={desk.key} controller={desk.text} /> : null}
      {surface && data.medium === 'image' && ontology.classes.length > 0 ? (
        <div className="eh-details-image">
          <AttributePanel surface={surface} />
          <div className="eh-details-shapes">
            <div>
              <AnnotationList surface={surface} />
            </div>
          </div>
        </div>
      ) : null}
      <History desk={desk} />
    </div>
  )
}

function References({ references }: { readonly references: readonly { readonly url: string; readonly name: string }[] }) {
  return (
    <section>
      <h2>{say('work.references')}</h2>
      <ul className="eh-details-refs">
        {references.map((one, at) => {
          const href = safeLink(one.url)
          return (
            <li key={at}>
              {href ? (
                <a href={href} target="_blank" rel="noopener noreferrer">
                  {one.name}
                </a>
              ) : (
                one.name
              )}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function History({ desk }: { readonly desk: Desk }) {
  const entries = desk.document ? readableHistory(desk.document) : []
  return (
    <details className="eh-details-history">
      <summary>
        {say('work.history')} <span className="eh-muted">{entries.length}</span>
      </summary>
      {entries.length === 0 ? <p className="eh-muted eh-small">{say('work.history.empty')}</p> : null}
      <ol>
        {entries.slice(0, 100).map((entry, at) => (
          <li key={at} className={entry.undone ? 'eh-details-undone' : ''}>
            <span>{nameOf(entry.name)}</span>
            <span className="eh-muted">{entry.undone ? say('work.history.undone') : formatDate(entry.at_ms, 'time')}</span>
          </li>
        ))}
      </ol>
    </details>
  )
}

/** Marks of a picture are short names with words in the catalogue; those of texts and forms are words already. */
function nameOf(name: string): string {
  const key = `image.mark.${name}`
  const words = t(key as MessageKey)
  return words === key ? name : words
}
