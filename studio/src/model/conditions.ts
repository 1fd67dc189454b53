/**
 * When an attribute or a field applies: `when` in the ontology. The twin of `evenhand/pure/conditions.py`; both are tested with the
 * cases in `fixtures/conditions`. What does not apply is not shown, not asked for, and not sent; for what depends on it, it counts as
 * unanswered.
 */
import type { Annotation, Attributes, AttributeValue, ClassedAnnotation, Condition, FieldAnnotation, Ontology, OntologyAttribute, OntologyField } from './types'

type Value = string | number | boolean

function holds(condition: Condition, className: string | null, valuesOf: (name: string) => readonly Value[]): boolean {
  if ('not' in condition) return !holds(condition.not, className, valuesOf)
  if ('all' in condition) return condition.all.every((part) => holds(part, className, valuesOf))
  if ('any' in condition) return condition.any.some((part) => holds(part, className, valuesOf))
  if ('class' in condition) return className !== null && condition.class.includes(className)
  const values = valuesOf('attribute' in condition ? condition.attribute : condition.field)
  const wanted = condition.in
  return wanted === undefined ? values.length > 0 : values.some((value) => wanted.includes(value))
}

type Applies = (attribute: Pick<OntologyAttribute, 'name'>) => boolean

const always: Applies = () => true

/** Tells for each attribute whether it applies to an annotation of this class with these values. */
export function attributeRule(ontology: Ontology, className: string, held: Attributes | undefined): Applies {
  if (!ontology.attributes.some((one) => one.when)) return always
  const known = new Map<string, boolean>()
  const applies: Applies = ({ name }) => {
    const when = ontology.attributes.find((one) => one.name === name)?.when
    if (!when) return true
    let found = known.get(name)
    if (found === undefined) known.set(name, (found = holds(when, className, valuesOf)))
    return found
  }
  const valuesOf = (name: string): readonly Value[] => {
    const value = held?.[name]
    return value === undefined || value === '' || !applies({ name }) ? [] : listed(value)
  }
  return applies
}

const listed = (value: AttributeValue): readonly Value[] => (typeof value === 'object' ? value : [value])

type FieldApplies = (field: OntologyField, target: string | null) => boolean

/** Tells for each field (and the answer it is asked of) whether it applies in this answer. */
export function fieldRule(ontology: Ontology, annotations: readonly Annotation[]): FieldApplies {
  if (!ontology.fields.some((field) => field.when)) return () => true
  const fields = new Map(ontology.fields.map((field) => [field.key, field]))
  const given = annotations.filter((one): one is FieldAnnotation => 'field' in one)
  const known = new Map<string, boolean>()
  const applies: FieldApplies = (field, target) => {
    if (!field.when) return true
    const question = JSON.stringify([field.key, target])
    let found = known.get(question)
    if (found === undefined) known.set(question, (found = holds(field.when, null, (key) => valuesOf(key, target))))
    return found
  }
  const valuesOf = (key: string, target: string | null): readonly Value[] => {
    const field = fields.get(key)
    if (!field) return []
    return given
      .filter((one) => one.field === key && (field.target !== 'answers' || target === null || targetOf(one) === target))
      .filter((one) => applies(field, askedOf(field, one)))
      .flatMap(valuesIn)
  }
  return applies
}

const targetOf = (one: FieldAnnotation): string | null => ('target' in one ? (one.target ?? null) : null)
const askedOf = (field: OntologyField, one: FieldAnnotation): string | null => (field.target === 'answers' ? targetOf(one) : null)

function valuesIn(one: FieldAnnotation): readonly Value[] {
  switch (one.kind) {
    case 'choice':
      return one.values
    case 'text':
      return one.text.trim() === '' ? [] : [one.text]
    case 'rating':
      return [one.value]
    case 'preference':
      return [one.strength]
  }
}

/** The annotations without what does not apply. The very same list when there is nothing to leave out. */
export function settled(ontology: Ontology, annotations: readonly Annotation[]): readonly Annotation[] {
  if (!ontology.attributes.some((one) => one.when) && !ontology.fields.some((field) => field.when)) return annotations
  const fields = new Map(ontology.fields.map((field) => [field.key, field]))
  const applies = fieldRule(ontology, annotations)
  const kept = annotations.flatMap((one): Annotation[] => {
    if (!('field' in one)) return [settledAttributes(ontology, one)]
    const field = fields.get(one.field)
    return !field || applies(field, askedOf(field, one)) ? [one] : []
  })
  return kept.length === annotations.length && kept.every((one, at) => one === annotations[at]) ? annotations : kept
}

function settledAttributes<A extends ClassedAnnotation>(ontology: Ontology, annotation: A): A {
  const entries = Object.entries(annotation.attributes ?? {})
  const applies = attributeRule(ontology, annotation.class, annotation.attributes)
  const held = entries.filter(([name]) => applies({ name }))
  if (held.length === entries.length) return annotation
  const { attributes: _all, ...bare } = annotation
  return { ...bare, ...(held.length ? { attributes: Object.fromEntries(held) } : {}) } as A
}
