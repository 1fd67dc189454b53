import { useMemo, useState } from 'react'
import type { Annotation, ClassedAnnotation, FieldAnnotation, Ontology, SpanAnnotation, SpatialAnnotation, TaskData } from '../../../model/types'
import { Button } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { formatNumber, t } from '../../../ui/messages'
import { ViewerMark } from '../../../ui/ViewerMark'
import { classColor, ImageResult } from './ImageResult'
import { segmentsOf } from './segments'
import './Result.css'

const isSpatial = (item: Annotation): item is SpatialAnnotation => item.kind === 'box' || item.kind === 'polygon' || item.kind === 'line' || item.kind === 'point'
const isSpan = (item: Annotation): item is SpanAnnotation => item.kind === 'span'
const isClassed = (item: Annotation): item is ClassedAnnotation => isSpatial(item) || isSpan(item)

/** What was answered, drawn on what was asked. */
export function ResultView({ data, ontology, annotations, empty, viewer = '' }: { data: TaskData; ontology: Ontology; annotations: readonly Annotation[]; empty: string; viewer?: string }) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const [picked, setPicked] = useState<string | null>(null)
  const [large, setLarge] = useState(false)
  const classed = useMemo(() => annotations.filter(isClassed), [annotations])
  const shown = classed.filter((item) => !hidden.has(item.class))
  const answered = annotations.filter((item): item is FieldAnnotation => !isClassed(item))
  const toggle = (name: string) => {
    const next = new Set(hidden)
    if (!next.delete(name)) next.add(name)
    setHidden(next)
  }
  const image = data.medium === 'image' ? data.image : null
  const spatial = shown.filter(isSpatial)
  return (
    <div className="eh-stack">
      {image ? (
        <>
          <ImageResult image={image} ontology={ontology} annotations={spatial} picked={picked} onPick={setPicked} />
          <Dialog open={large} onClose={() => setLarge(false)} title={image.name || t('console.task')} wide>
            <ImageResult image={image} ontology={ontology} annotations={spatial} picked={picked} onPick={setPicked} large />
          </Dialog>
        </>
      ) : null}
      {image ? null : (
        <div className="eh-shown">
          {data.medium === 'text' ? <Passage text={data.text} ontology={ontology} spans={shown.filter(isSpan)} picked={picked} /> : null}
          {data.medium === 'conversation' ? <Talk data={data} answered={answered} /> : null}
          {viewer ? <ViewerMark text={viewer} /> : null}
        </div>
      )}
      {classed.length || image ? <Classes ontology={ontology} classed={classed} hidden={hidden} onToggle={toggle} {...(image ? { onLarge: () => setLarge(true) } : {})} /> : null}
      {shown.length ? <Shapes data={data} ontology={ontology} items={shown} picked={picked} onPick={setPicked} /> : null}
      {answered.length ? <Answers data={data} ontology={ontology} answered={answered} /> : null}
      {annotations.length === 0 ? <p className="eh-muted">{empty}</p> : null}
    </div>
  )
}

function Classes({ ontology, classed, hidden, onToggle, onLarge }: {
  ontology: Ontology
  classed: readonly ClassedAnnotation[]
  hidden: ReadonlySet<string>
  onToggle: (name: string) => void
  onLarge?: () => void
}) {
  const counts = new Map<string, number>()
  for (const item of classed) counts.set(item.class, (counts.get(item.class) ?? 0) + 1)
  return (
    <div className="eh-row">
      <ul className="eh-classes eh-grow" aria-label={t('console.result.classes')}>
        {[...counts].map(([name, count]) => (
          <li key={name}>
            <button type="button" className="eh-class" aria-pressed={!hidden.has(name)} onClick={() => onToggle(name)}>
              <span className="eh-swatch eh-swatch-small" style={{ background: classColor(ontology, name) }} />
              {ontology.classes.find((item) => item.name === name)?.title ?? name} {formatNumber(count)}
            </button>
          </li>
        ))}
      </ul>
      {onLarge ? (
        <Button small look="quiet" icon="external" onClick={onLarge}>
          {t('console.result.large')}
        </Button>
      ) : null}
    </div>
  )
}

const LISTED = 300

function Shapes({ data, ontology, items, picked, onPick }: {
  data: TaskData
  ontology: Ontology
  items: readonly ClassedAnnotation[]
  picked: string | null
  onPick: (id: string | null) => void
}) {
  const letters = useMemo(() => (data.medium === 'text' ? [...data.text] : []), [data])
  return (
    <ul className="eh-annotations" aria-label={t('console.result.list')}>
      {items.slice(0, LISTED).map((item) => (
        <li key={item.id}>
          <button type="button" aria-pressed={item.id === picked} onClick={() => onPick(item.id === picked ? null : item.id)}>
            <span className="eh-swatch eh-swatch-small" style={{ background: classColor(ontology, item.class) }} />
            <span>{item.class}</span>
            <span className="eh-muted eh-small eh-grow eh-ellipsis">
              {isSpan(item) ? letters.slice(item.start, item.end).join('') : describe(item)}
              {item.attributes && Object.keys(item.attributes).length ? ` · ${attributesText(item.attributes)}` : ''}
            </span>
          </button>
        </li>
      ))}
      {items.length > LISTED ? <li className="eh-muted eh-small">{t('console.result.more', { count: items.length - LISTED })}</li> : null}
    </ul>
  )
}

function describe(item: SpatialAnnotation): string {
  const size = (value: number) => formatNumber(Math.round(value))
  switch (item.kind) {
    case 'box':
      return t('console.result.box', { w: size(item.w), h: size(item.h), x: size(item.x), y: size(item.y) })
    case 'point':
      return t('console.result.point', { x: size(item.x), y: size(item.y) })
    default:
      return t('console.result.path', { kind: t(`console.kind.${item.kind}`), count: item.points.length })
  }
}

function attributesText(attributes: Readonly<Record<string, unknown>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}: ${value === true ? t('ui.yes') : value === false ? t('ui.no') : Array.isArray(value) ? value.join(', ') : String(value)}`)
    .join(', ')
}

function Passage({ text, ontology, spans, picked }: { text: string; ontology: Ontology; spans: readonly SpanAnnotation[]; picked: string | null }) {
  const segments = useMemo(() => segmentsOf(text, spans), [text, spans])
  return (
    <div className="eh-passage" tabIndex={0} role="region" aria-label={t('console.result.text')} dir="auto">
      {segments.map((segment, at) => {
        const top = segment.spans.find((span) => span.id === picked) ?? segment.spans.at(-1)
        if (!top) return <span key={at}>{segment.text}</span>
        // One underline for each span that lies on it: overlaps stay visible.
        const lines = segment.spans.map((span, depth) => `0 ${2 + depth * 3}px 0 0 ${classColor(ontology, span.class)}`)
        return (
          <mark key={at} style={{ ['--mark' as string]: classColor(ontology, top.class), boxShadow: lines.join(', '), outline: top.id === picked ? '2px solid var(--focus)' : undefined }}>
            {segment.starts.map((span) => (
              <span key={span.id} className="eh-span-name">
                {span.class}
              </span>
            ))}
            {segment.text}
          </mark>
        )
      })}
    </div>
  )
}

function Talk({ data, answered }: { data: Extract<TaskData, { medium: 'conversation' }>; answered: readonly FieldAnnotation[] }) {
  const winners = new Set(answered.flatMap((item) => (item.kind === 'preference' && item.winner !== null ? [item.winner] : [])))
  return (
    <div className="eh-talk">
      {data.conversation.messages.map((message, at) => (
        <div key={at} className="eh-turn" dir="auto">
          <div className="eh-muted eh-small">{message.role}</div>
          {message.text}
        </div>
      ))}
      <div className="eh-talk-two">
        {data.conversation.answers.map((answer, at) => (
          <div key={answer.id} className={winners.has(answer.id) ? 'eh-turn eh-turn-best' : 'eh-turn'} dir="auto">
            <div className="eh-muted eh-small">
              {answer.title ?? t('console.result.answer', { n: at + 1 })}
              {winners.has(answer.id) ? ` · ${t('console.result.preferred')}` : ''}
            </div>
            {answer.text}
          </div>
        ))}
      </div>
    </div>
  )
}

function Answers({ data, ontology, answered }: { data: TaskData; ontology: Ontology; answered: readonly FieldAnnotation[] }) {
  return (
    <dl className="eh-answers-form">
      {answered.map((item) => {
        const field = ontology.fields.find((one) => one.key === item.field)
        const target = 'target' in item && item.target ? ` · ${answerName(data, item.target)}` : ''
        return [
          <dt key={`${item.id}t`}>
            {field?.title || item.field}
            {target}
          </dt>,
          <dd key={item.id}>{value(data, item, field?.choices ?? [])}</dd>,
        ]
      })}
    </dl>
  )
}

/** How the reader knows an answer of the conversation: by its title, or its number. */
function answerName(data: TaskData, id: string): string {
  const answers = data.medium === 'conversation' ? data.conversation.answers : []
  const at = answers.findIndex((answer) => answer.id === id)
  return at < 0 ? id : (answers[at]?.title ?? t('console.result.answer', { n: at + 1 }))
}

function value(data: TaskData, item: FieldAnnotation, choices: readonly { value: string; label?: string }[]): string {
  switch (item.kind) {
    case 'choice':
      return item.values.map((one) => choices.find((choice) => choice.value === one)?.label ?? one).join(', ')
    case 'text':
      return item.text
    case 'rating':
      return formatNumber(item.value)
    case 'preference':
      return item.winner === null ? t('console.result.tie') : t('console.result.winner', { winner: answerName(data, item.winner), strength: t(`console.strength.${item.strength}`) })
  }
}
