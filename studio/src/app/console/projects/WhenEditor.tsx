import type { Condition, Ontology } from '../../../model/types'
import { Button, IconButton } from '../../../ui/Button'
import { Checkbox } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { conditionOf, leafOf, simpleOf, sourceId, sourcesFor, waitingFor, wanted, type Leaf, type Owner, type Simple, type Source } from './when'

const say = () => ({ yes: t('ui.yes'), no: t('ui.no'), class: t('console.when.class'), strength: (value: number) => t(`console.strength.${value as 0 | 1 | 2 | 3}`) })

/** When an attribute or a question is asked: always, or where others have certain values. */
export function WhenEditor({ ontology, owner, name, when, onChange }: { ontology: Ontology; owner: Owner; name: string; when: Condition | undefined; onChange: (next: Condition | undefined) => void }) {
  const sources = sourcesFor(ontology, owner, say())
  const simple = simpleOf(when)
  if (simple === null)
    return (
      <div className="eh-when">
        <span className="eh-muted">{t('console.when.deep')}</span>
        <code className="eh-small eh-when-deep">{JSON.stringify(when)}</code>
        <Button small look="quiet" onClick={() => onChange(undefined)}>
          {t('console.when.remove-all')}
        </Button>
      </div>
    )
  const change = (next: Simple) => onChange(conditionOf(next))
  const { how, parts } = simple
  const first = sources.find((one) => !parts.some((part) => sourceId(part) === one.id)) ?? sources[0]
  const add = first ? (
    <Button small look="quiet" icon="plus" onClick={() => change({ how, parts: [...parts, leafOf(first)] })} aria-label={t(parts.length ? 'console.when.another-for' : 'console.when.add-for', { name })}>
      {t(parts.length ? 'console.when.another' : 'console.when.add')}
    </Button>
  ) : null
  if (!parts.length) return add
  return (
    <div className="eh-when" role="group" aria-label={t('console.when.of', { name })}>
      <span>{t('console.when.only')}</span>
      {parts.length > 1 ? (
        <select className="eh-input eh-input-small" aria-label={t('console.when.how', { name })} value={how} onChange={(event) => change({ how: event.target.value as Simple['how'], parts })}>
          <option value="all">{t('console.when.all')}</option>
          <option value="any">{t('console.when.any')}</option>
        </select>
      ) : null}
      {parts.map((part, at) => (
        <WhenPart
          key={at}
          part={part}
          sources={sources}
          name={name}
          onChange={(next) => change({ how, parts: parts.map((old, index) => (index === at ? next : old)) })}
          onRemove={() => change({ how, parts: parts.filter((_, index) => index !== at) })}
        />
      ))}
      {add}
    </div>
  )
}

function WhenPart({ part, sources, name, onChange, onRemove }: { part: Leaf; sources: readonly Source[]; name: string; onChange: (next: Leaf) => void; onRemove: () => void }) {
  const id = sourceId(part)
  const source = sources.find((one) => one.id === id)
  const values = wanted(part)
  const toggle = (value: string | number | boolean, on: boolean) => onChange(waitingFor(part, (source?.values ?? []).map((one) => one.value).filter((one) => (one === value ? on : values?.includes(one)))))
  return (
    <div className="eh-when-part">
      <select className="eh-input eh-input-small" aria-label={t('console.when.source', { name })} value={id} onChange={(event) => onChange(leafOf(sources.find((one) => one.id === event.target.value) as Source))}>
        {source ? null : <option value={id}>{t('console.when.gone')}</option>}
        {sources.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </select>
      <span className="eh-when-values" role="group" aria-label={t('console.when.values', { name: source?.name ?? '' })}>
        {id === 'class' ? null : <Checkbox label={t('console.when.answered')} checked={values === null} onChecked={(on) => onChange(waitingFor(part, on ? null : (source?.values ?? []).slice(0, 1).map((one) => one.value)))} disabled={source?.values === null} />}
        {(source?.values ?? []).map((one) => (
          <Checkbox key={String(one.value)} label={one.label} checked={values?.includes(one.value) ?? false} onChecked={(on) => toggle(one.value, on)} />
        ))}
      </span>
      <IconButton small label={t('console.when.remove', { name })} icon="close" onClick={onRemove} />
    </div>
  )
}
