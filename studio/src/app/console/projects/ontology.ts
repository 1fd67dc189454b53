// Pure changes of an ontology, and what is wrong with one.
import type { Kind, Medium, Ontology, OntologyAttribute, OntologyClass, OntologyField } from '../../../model/types'
import type { MessageKey, Params } from '../../../ui/messages'
import { freeColor, freeHotkey } from './palette'
import { circular, leavesOf, sourceId, sourcesFor, wanted, type Owner } from './when'

export const spatialKinds: readonly Kind[] = ['box', 'polygon', 'line', 'point']

/** Kinds of shape that a medium can carry. */
export function kindsOf(medium: Medium): readonly Kind[] {
  return medium === 'image' ? spatialKinds : medium === 'text' ? ['span'] : []
}

export function replaceAt<T>(list: readonly T[], at: number, item: T): T[] {
  return list.map((old, index) => (index === at ? item : old))
}

export function removeAt<T>(list: readonly T[], at: number): T[] {
  return list.filter((_, index) => index !== at)
}

export function moveBy<T>(list: readonly T[], at: number, by: number): T[] {
  const target = at + by
  if (target < 0 || target >= list.length) return [...list]
  const next = [...list]
  const [item] = next.splice(at, 1)
  if (item !== undefined) next.splice(target, 0, item)
  return next
}

function freeName(base: string, taken: readonly string[]): string {
  for (let n = taken.length + 1; ; n += 1) if (!taken.includes(`${base}_${n}`)) return `${base}_${n}`
}

export function addClass(ontology: Ontology, medium: Medium): Ontology {
  const { classes } = ontology
  const name = freeName('class', classes.map((item) => item.name))
  const made: OntologyClass = {
    name,
    color: freeColor(classes.map((item) => item.color)),
    hotkey: freeHotkey('', classes.map((item) => item.hotkey)),
    kinds: classes.at(-1)?.kinds ?? kindsOf(medium).slice(0, 1),
  }
  return { ...ontology, classes: [...classes, made] }
}

export function addAttribute(ontology: Ontology): Ontology {
  const made: OntologyAttribute = { name: freeName('attribute', ontology.attributes.map((item) => item.name)), type: 'boolean' }
  return { ...ontology, attributes: [...ontology.attributes, made] }
}

export function addField(ontology: Ontology): Ontology {
  const made: OntologyField = {
    key: freeName('question', ontology.fields.map((item) => item.key)),
    type: 'choice',
    title: '',
    choices: [
      { value: 'yes', label: 'Yes', hotkey: '1' },
      { value: 'no', label: 'No', hotkey: '2' },
    ],
  }
  return { ...ontology, fields: [...ontology.fields, made] }
}

/** Keys with an empty value leave the object: absent and empty must not differ on the wire. */
export function withKey<T extends object, K extends keyof T>(item: T, key: K, value: T[K] | undefined | ''): T {
  const next = { ...item }
  if (value === undefined || value === '') delete next[key]
  else next[key] = value
  return next
}

export type Flaw = { where: string; key: MessageKey; params?: Params }

/** Everything that would make the server refuse, or annotators stumble. */
export function flaws(ontology: Ontology, medium: Medium): Flaw[] {
  const found: Flaw[] = []
  const say = (where: string, key: MessageKey, params?: Params) => found.push(params ? { where, key, params } : { where, key })
  if (!ontology.classes.length && !ontology.fields.length) say('ontology', 'console.flaw.empty')
  duplicates(ontology.classes.map((item) => item.name)).forEach((name) => say('classes', 'console.flaw.class-twice', { name }))
  duplicates(ontology.classes.flatMap((item) => (item.hotkey ? [item.hotkey] : []))).forEach((key) => say('classes', 'console.flaw.hotkey-twice', { key }))
  for (const item of ontology.classes) {
    if (!item.name.trim()) say('classes', 'console.flaw.class-unnamed')
    if (!item.kinds.length) say('classes', 'console.flaw.class-kindless', { name: item.name })
    if (item.kinds.some((kind) => !kindsOf(medium).includes(kind))) say('classes', 'console.flaw.class-kind', { name: item.name })
  }
  duplicates(ontology.attributes.map((item) => item.name)).forEach((name) => say('attributes', 'console.flaw.attribute-twice', { name }))
  for (const item of ontology.attributes) {
    if (!item.name.trim()) say('attributes', 'console.flaw.attribute-unnamed')
    if (item.type === 'choice' && (item.choices ?? []).length < 2) say('attributes', 'console.flaw.few-choices', { name: item.title || item.name })
  }
  duplicates(ontology.fields.map((item) => item.key)).forEach((name) => say('fields', 'console.flaw.field-twice', { name }))
  for (const item of ontology.fields) {
    if (!item.key.trim()) say('fields', 'console.flaw.field-unnamed')
    if (item.type === 'choice' && (item.choices ?? []).length < 2) say('fields', 'console.flaw.few-choices', { name: item.title || item.key })
    if ((item.type === 'rating' || item.type === 'number') && item.min !== undefined && item.max !== undefined && item.min >= item.max)
      say('fields', 'console.flaw.min-max', { name: item.title || item.key })
    if (item.type === 'preference' && medium !== 'conversation') say('fields', 'console.flaw.preference', { name: item.title || item.key })
  }
  whenFlaws(ontology, say)
  return found
}

/** Conditions that look at what is not there, wait for what cannot be, or for themselves. */
function whenFlaws(ontology: Ontology, say: (where: string, key: MessageKey, params?: Params) => void): void {
  const words = { yes: '', no: '', class: '', strength: String }
  const owners = [
    ...ontology.attributes.map((one) => ({ owner: { kind: 'attribute', name: one.name } as Owner, where: 'attributes', name: one.title || one.name, when: one.when })),
    ...ontology.fields.map((one) => ({ owner: { kind: 'field', name: one.key } as Owner, where: 'fields', name: one.title || one.key, when: one.when })),
  ]
  for (const { owner, where, name, when } of owners) {
    const sources = when ? sourcesFor(ontology, owner, words) : []
    for (const leaf of when ? leavesOf(when) : []) {
      const source = sources.find((one) => one.id === sourceId(leaf))
      const values = wanted(leaf)
      const own = sourceId(leaf) === `${owner.kind} ${owner.name}`
      if (!source && !own) say(where, 'console.flaw.when-gone', { name })
      else if (values?.length === 0) say(where, 'console.flaw.when-empty', { name })
      else if (source?.values && values?.some((value) => !source.values?.some((one) => one.value === value))) say(where, 'console.flaw.when-value', { name, other: source.name })
    }
  }
  for (const kind of ['attribute', 'field'] as const) {
    const looped = circular(new Map(owners.flatMap(({ owner, when }) => (owner.kind === kind && when ? [[owner.name, when]] : []))))
    if (looped !== null) say(`${kind}s`, 'console.flaw.when-circle', { name: owners.find(({ owner }) => owner.kind === kind && owner.name === looped)?.name ?? looped })
  }
}

function duplicates(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))]
}
