/** The written list of spatial kinds. A new kind is one file and one line here; the laws run over this list. */
import type { Rect, Vec } from '../kernel/vec'
import type {
  Annotation,
  AttributeValue,
  Attributes,
  Ontology,
  OntologyAttribute,
  OntologyClass,
  SpatialAnnotation,
  SpatialKind as SpatialKindName,
} from '../model/types'
import { findProblem } from '../model/check'
import { attributeRule } from '../model/conditions'
import { box } from './box'
import type { Phrase, SpatialKind } from './kind'
import { line } from './line'
import { point } from './point'
import { polygon } from './polygon'

const SPATIAL: { readonly [K in SpatialKindName]: SpatialKind<Extract<SpatialAnnotation, { kind: K }>> } = {
  box,
  polygon,
  line,
  point,
}

export const SPATIAL_KINDS = Object.keys(SPATIAL) as readonly SpatialKindName[]

/** The kind of an annotation, ready to be asked about it. */
export const kindOf = <A extends SpatialAnnotation>(a: A): SpatialKind<A> =>
  SPATIAL[a.kind] as unknown as SpatialKind<A>

export const isSpatial = (a: Annotation): a is SpatialAnnotation => Object.hasOwn(SPATIAL, a.kind)

/** What a scene of annotations is indexed by: kinds without a place give null. */
export const boundsOfAnnotation = (a: Annotation): Rect | null => (isSpatial(a) ? kindOf(a).bounds(a) : null)

export const hits = (a: SpatialAnnotation, p: Vec, near: number): boolean => kindOf(a).hit(a, p, near)

/** The class is chosen from those that allow the kind. */
export const classesFor = (ontology: Ontology, kind: Annotation['kind']): readonly OntologyClass[] =>
  ontology.classes.filter((c) => c.kinds.includes(kind))

/** All attributes that a class can have. */
export function attributesOf(ontology: Ontology, className: string): readonly OntologyAttribute[] {
  const own = ontology.classes.find((c) => c.name === className)?.attributes
  return own ? ontology.attributes.filter((a) => own.includes(a.name)) : ontology.attributes
}

/** What is left of the attributes when an annotation gets another class; the very same when all of it fits. */
export function attributesAs(ontology: Ontology, className: string, held: Attributes): Attributes | undefined {
  const known = new Set(attributesOf(ontology, className).map((one) => one.name))
  const kept = Object.entries(held).filter(([key]) => known.has(key))
  if (kept.length === Object.keys(held).length) return held
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** The attributes that are asked for: of those of the class the ones whose condition holds. */
export function attributesFor(ontology: Ontology, className: string, held: Attributes | undefined): readonly OntologyAttribute[] {
  const offered = attributesOf(ontology, className)
  return offered.some((a) => a.when) ? offered.filter(attributeRule(ontology, className, held)) : offered
}

const empty = (value: AttributeValue | undefined): boolean =>
  value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

/** Everything that keeps one annotation from being submitted, in words of the catalogue. */
export function problemsOf(a: Annotation, ontology: Ontology): readonly Phrase[] {
  if ('class' in a && a.class === '') return [{ key: 'image.problem.unnamed', params: {} }]
  const wrong = findProblem(a)
  if (wrong) return [{ key: 'image.problem.invalid', params: { path: wrong.path, detail: wrong.detail } }]
  if (!('class' in a)) return []
  const found: Phrase[] = []
  const own = ontology.classes.find((c) => c.name === a.class)
  if (!own) found.push({ key: 'image.problem.unknown_class', params: { name: a.class } })
  else if (!own.kinds.includes(a.kind)) found.push({ key: 'image.problem.wrong_kind', params: { name: a.class } })
  for (const attribute of attributesFor(ontology, a.class, a.attributes)) {
    const value = a.attributes?.[attribute.name]
    const name = attribute.title ?? attribute.name
    if (attribute.required === true && empty(value)) {
      found.push({ key: 'image.problem.attribute_missing', params: { name } })
    } else if (value !== undefined && !fitsAttribute(attribute, value)) {
      found.push({ key: 'image.problem.attribute_value', params: { name } })
    }
  }
  if (isSpatial(a)) found.push(...kindOf(a).problems(a, ontology.limits ?? {}))
  return found
}

function fitsAttribute(attribute: OntologyAttribute, value: AttributeValue): boolean {
  switch (attribute.type) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'number':
      return typeof value === 'number'
    case 'text':
      return typeof value === 'string'
    case 'choice': {
      const allowed = attribute.choices ?? []
      if (attribute.multiple === true) return Array.isArray(value) && value.every((one: string) => allowed.includes(one))
      return typeof value === 'string' && allowed.includes(value)
    }
  }
}
