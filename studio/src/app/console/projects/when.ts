// Conditions as the editor knows them: a list of simple parts, of which all or any must hold. What is nested deeper was made
// through the API; it is kept and told in words.
import type { Condition, Ontology } from '../../../model/types'

export type Value = string | number | boolean
export type Leaf = Exclude<Condition, { readonly all: unknown } | { readonly any: unknown } | { readonly not: unknown }>
export type Simple = { readonly how: 'all' | 'any'; readonly parts: readonly Leaf[] }
/** What a condition may look at. `values` null: only whether it was answered. */
export type Source = { readonly id: string; readonly name: string; readonly values: readonly { readonly value: Value; readonly label: string }[] | null }
/** Whose condition it is. */
export type Owner = { readonly kind: 'attribute' | 'field'; readonly name: string }
export type Say = { readonly yes: string; readonly no: string; readonly class: string; readonly strength: (value: number) => string }

const MOST_RATINGS = 11

export const isLeaf = (condition: Condition): condition is Leaf => !('all' in condition || 'any' in condition || 'not' in condition)

export function simpleOf(when: Condition | undefined): Simple | null {
  if (when === undefined) return { how: 'all', parts: [] }
  if (isLeaf(when)) return { how: 'all', parts: [when] }
  if ('all' in when && when.all.every(isLeaf)) return { how: 'all', parts: when.all as readonly Leaf[] }
  if ('any' in when && when.any.every(isLeaf)) return { how: 'any', parts: when.any as readonly Leaf[] }
  return null
}

export function conditionOf({ how, parts }: Simple): Condition | undefined {
  const [only] = parts
  if (!only) return undefined
  if (parts.length === 1) return only
  return how === 'all' ? { all: parts } : { any: parts }
}

/** "class", "attribute NAME" or "field KEY". */
export function sourceId(leaf: Leaf): string {
  return 'class' in leaf ? 'class' : 'attribute' in leaf ? `attribute ${leaf.attribute}` : `field ${leaf.field}`
}

export function sourcesFor(ontology: Ontology, owner: Owner, say: Say): readonly Source[] {
  const flags = [
    { value: true, label: say.yes },
    { value: false, label: say.no },
  ]
  const plain = (values: readonly string[] | undefined) => (values ?? []).map((value) => ({ value, label: value }))
  if (owner.kind === 'attribute') {
    const classes = ontology.classes.length ? [{ id: 'class', name: say.class, values: ontology.classes.map((one) => ({ value: one.name, label: one.title || one.name })) }] : []
    const others = ontology.attributes.filter((one) => one.name !== owner.name && one.name !== '')
    return [...classes, ...others.map((one) => ({ id: `attribute ${one.name}`, name: one.title || one.name, values: one.type === 'boolean' ? flags : one.type === 'choice' ? plain(one.choices) : null }))]
  }
  return ontology.fields
    .filter((one) => one.key !== owner.name && one.key !== '')
    .map((one) => {
      const name = one.title || one.key
      const id = `field ${one.key}`
      if (one.type === 'choice') return { id, name, values: (one.choices ?? []).map((choice) => ({ value: choice.value, label: choice.label ?? choice.value })) }
      if (one.type === 'preference') return { id, name, values: [0, 1, 2, 3].map((value) => ({ value, label: say.strength(value) })) }
      const { min, max, step } = one
      const count = one.type === 'rating' && min !== undefined && max !== undefined ? Math.round((max - min) / (step ?? 1)) + 1 : 0
      const numbers = Array.from({ length: count }, (_, at) => (min ?? 0) + at * (step ?? 1))
      return { id, name, values: count > 0 && count <= MOST_RATINGS ? numbers.map((value) => ({ value, label: String(value) })) : null }
    })
}

/** A part that looks at a source; its first value to begin with. */
export function leafOf({ id, values }: Source): Leaf {
  const first = values?.[0]?.value
  if (id === 'class') return { class: [String(first)] }
  const [kind, ...rest] = id.split(' ')
  const name = rest.join(' ')
  const within = first === undefined ? {} : { in: [first] }
  return kind === 'attribute' ? { attribute: name, ...within } : { field: name, ...within }
}

/** The values that a part waits for; null: any answer will do. */
export function wanted(leaf: Leaf): readonly Value[] | null {
  return 'class' in leaf ? leaf.class : (leaf.in ?? null)
}

/** The same part waiting for other values. A class cannot be "any": then it would say nothing. */
export function waitingFor(leaf: Leaf, values: readonly Value[] | null): Leaf {
  if ('class' in leaf) return { class: (values ?? []).map(String) }
  if (values !== null) return { ...leaf, in: values }
  return 'attribute' in leaf ? { attribute: leaf.attribute } : { field: leaf.field }
}

/** Every part, however deep. */
export function leavesOf(condition: Condition): readonly Leaf[] {
  if ('not' in condition) return leavesOf(condition.not)
  if ('all' in condition) return condition.all.flatMap(leavesOf)
  if ('any' in condition) return condition.any.flatMap(leavesOf)
  return [condition]
}

function mapLeaves(condition: Condition, change: (leaf: Leaf) => Leaf): Condition {
  if ('not' in condition) return { not: mapLeaves(condition.not, change) }
  if ('all' in condition) return { all: condition.all.map((part) => mapLeaves(part, change)) }
  if ('any' in condition) return { any: condition.any.map((part) => mapLeaves(part, change)) }
  return change(condition)
}

/** The ontology with every condition following a new name. */
export function renamed(ontology: Ontology, kind: 'class' | Owner['kind'], from: string, to: string): Ontology {
  if (from === to) return ontology
  const change = (leaf: Leaf): Leaf => {
    if (kind === 'class' && 'class' in leaf) return { class: leaf.class.map((name) => (name === from ? to : name)) }
    if (kind === 'attribute' && 'attribute' in leaf && leaf.attribute === from) return { ...leaf, attribute: to }
    if (kind === 'field' && 'field' in leaf && leaf.field === from) return { ...leaf, field: to }
    return leaf
  }
  const follow = <T extends { readonly when?: Condition }>(item: T): T => (item.when ? { ...item, when: mapLeaves(item.when, change) } : item)
  return { ...ontology, attributes: ontology.attributes.map(follow), fields: ontology.fields.map(follow) }
}

/** Who depends, over others or at once, on itself. */
export function circular(conditions: ReadonlyMap<string, Condition>): string | null {
  const needs = (name: string): readonly string[] => {
    const when = conditions.get(name)
    return when ? leavesOf(when).flatMap((leaf) => ('attribute' in leaf ? [leaf.attribute] : 'field' in leaf ? [leaf.field] : [])) : []
  }
  for (const start of conditions.keys()) {
    const seen = new Set<string>()
    const open = [...needs(start)]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === start) return start
      if (!seen.has(next)) {
        seen.add(next)
        open.push(...needs(next))
      }
    }
  }
  return null
}
