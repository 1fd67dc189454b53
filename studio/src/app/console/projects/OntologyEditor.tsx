import { Menu as AriaMenu, MenuButton, MenuItem as AriaMenuItem, MenuProvider } from '@ariakit/react/menu'
import type { Medium, Ontology, OntologyAttribute, OntologyClass, OntologyField } from '../../../model/types'
import { Button, buttonClass, IconButton } from '../../../ui/Button'
import { Checkbox } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { AttributeRow, FieldRow } from './OntologyRows'
import { addAttribute, addClass, addField, flaws, kindsOf, moveBy, removeAt, replaceAt, withKey } from './ontology'
import { palette } from './palette'
import { renamed } from './when'
import './OntologyEditor.css'

/** Classes, attributes and questions of a project. */
export function OntologyEditor({ ontology, medium, onChange, level = 3 }: { ontology: Ontology; medium: Medium; onChange: (next: Ontology) => void; level?: 2 | 3 }) {
  const Heading = level === 2 ? 'h2' : 'h3'
  const { classes, attributes, fields } = ontology
  const wrong = flaws(ontology, medium)
  const draws = kindsOf(medium).length > 0
  return (
    <div className="eh-onto">
      {draws ? (
        <section className="eh-stack-2">
          <div className="eh-section-head">
            <Heading>{t('console.onto.classes')}</Heading>
            <Button small icon="plus" onClick={() => onChange(addClass(ontology, medium))}>
              {t('console.onto.add-class')}
            </Button>
          </div>
          <p className="eh-muted eh-small">{t('console.onto.classes.hint')}</p>
          {classes.length ? (
            <ul className="eh-onto-list">
              {classes.map((item, at) => (
                <ClassRow
                  key={at}
                  item={item}
                  at={at}
                  medium={medium}
                  last={at === classes.length - 1}
                  onChange={(next) => onChange({ ...renamed(ontology, 'class', item.name, next.name), classes: replaceAt(classes, at, next) })}
                  onMove={(by) => onChange({ ...ontology, classes: moveBy(classes, at, by) })}
                  onRemove={() => onChange({ ...ontology, classes: removeAt(classes, at) })}
                />
              ))}
            </ul>
          ) : null}
        </section>
      ) : null}
      {draws ? (
        <section className="eh-stack-2">
          <div className="eh-section-head">
            <Heading>{t('console.onto.attributes')}</Heading>
            <Button small icon="plus" onClick={() => onChange(addAttribute(ontology))}>
              {t('console.onto.add-attribute')}
            </Button>
          </div>
          <p className="eh-muted eh-small">{t('console.onto.attributes.hint')}</p>
          {attributes.length ? (
            <ul className="eh-onto-list">
              {attributes.map((item, at) => (
                <AttributeRow
                  key={at}
                  item={item}
                  at={at}
                  ontology={ontology}
                  onChange={(next) => onChange(withRenamed(ontology, 'attribute', at, next))}
                  onRemove={() => onChange({ ...ontology, attributes: removeAt(attributes, at) })}
                />
              ))}
            </ul>
          ) : null}
        </section>
      ) : null}
      <section className="eh-stack-2">
        <div className="eh-section-head">
          <Heading>{t('console.onto.fields')}</Heading>
          <Button small icon="plus" onClick={() => onChange(addField(ontology))}>
            {t('console.onto.add-field')}
          </Button>
        </div>
        <p className="eh-muted eh-small">{t('console.onto.fields.hint')}</p>
        {fields.length ? (
          <ul className="eh-onto-list">
            {fields.map((item, at) => (
              <FieldRow
                key={at}
                item={item}
                at={at}
                medium={medium}
                ontology={ontology}
                onChange={(next) => onChange(withRenamed(ontology, 'field', at, next))}
                onRemove={() => onChange({ ...ontology, fields: removeAt(fields, at) })}
              />
            ))}
          </ul>
        ) : null}
      </section>
      {wrong.length ? (
        <ul className="eh-field-error eh-stack-2" role="status">
          {wrong.map((flaw, at) => (
            <li key={at}>{t(flaw.key, flaw.params)}</li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}

/** An attribute or a question has changed; who depends on it follows its new name. */
function withRenamed(ontology: Ontology, ...[kind, at, next]: ['attribute', number, OntologyAttribute] | ['field', number, OntologyField]): Ontology {
  if (kind === 'attribute') {
    const after = renamed(ontology, kind, ontology.attributes[at]?.name ?? '', next.name)
    return { ...after, attributes: replaceAt(after.attributes, at, next) }
  }
  const after = renamed(ontology, kind, ontology.fields[at]?.key ?? '', next.key)
  return { ...after, fields: replaceAt(after.fields, at, next) }
}

function ClassRow({ item, at, medium, last, onChange, onMove, onRemove }: {
  item: OntologyClass
  at: number
  medium: Medium
  last: boolean
  onChange: (next: OntologyClass) => void
  onMove: (by: number) => void
  onRemove: () => void
}) {
  const name = item.name || t('console.onto.class-n', { n: at + 1 })
  const kinds = kindsOf(medium)
  return (
    <li className="eh-onto-item">
      <ColorMenu name={name} value={item.color} onValue={(color) => onChange(withKey(item, 'color', color))} />
      <input className="eh-input eh-onto-name" aria-label={t('console.onto.name-of', { name })} value={item.name} maxLength={200} onChange={(event) => onChange({ ...item, name: event.target.value })} />
      <input
        className="eh-input eh-onto-key"
        aria-label={t('console.onto.hotkey-of', { name })}
        title={t('console.onto.hotkey')}
        value={item.hotkey ?? ''}
        onChange={(event) => onChange(withKey(item, 'hotkey', [...event.target.value].at(-1)?.toLowerCase()))}
      />
      {kinds.length > 1 ? (
        <div className="eh-kinds" role="group" aria-label={t('console.onto.kinds-of', { name })}>
          {kinds.map((kind) => (
            <Checkbox
              key={kind}
              label={t(`console.kind.${kind}`)}
              checked={item.kinds.includes(kind)}
              onChecked={(on) => onChange({ ...item, kinds: kinds.filter((other) => (other === kind ? on : item.kinds.includes(other))) })}
            />
          ))}
        </div>
      ) : null}
      <span className="eh-onto-acts">
        <IconButton label={t('console.onto.up', { name })} icon="up" disabled={at === 0} onClick={() => onMove(-1)} />
        <IconButton label={t('console.onto.down', { name })} icon="down" disabled={last} onClick={() => onMove(1)} />
        <IconButton label={t('console.onto.remove', { name })} icon="trash" onClick={onRemove} />
      </span>
    </li>
  )
}

function ColorMenu({ name, value, onValue }: { name: string; value: string | undefined; onValue: (color: string) => void }) {
  const known = palette.find((color) => color.value === value)
  const label = t('console.onto.color-of', { name, color: known ? t(`console.color.${known.name}`) : (value ?? '') })
  return (
    <MenuProvider placement="bottom-start">
      <MenuButton
        render={
          <button type="button" className={buttonClass('quiet', false, true)} aria-label={label}>
            <span className="eh-swatch" style={{ background: value ?? '#777777' }} />
          </button>
        }
      />
      <AriaMenu className="eh-menu" gutter={4} fixed unmountOnHide aria-label={label}>
        <div className="eh-swatches" role="none">
          {palette.map((color) => (
            <AriaMenuItem key={color.value} className="eh-menu-item" aria-label={t(`console.color.${color.name}`)} onClick={() => onValue(color.value)}>
              <span className="eh-swatch" style={{ background: color.value }} />
            </AriaMenuItem>
          ))}
        </div>
      </AriaMenu>
    </MenuProvider>
  )
}
