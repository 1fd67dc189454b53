import { describe, expect, test } from 'vitest'
// The Python suite reads the same cases.
import table from '../../../fixtures/conditions/cases.json'
import { gapsIn, questionsOf } from '../surfaces/forms/questions'
import { attributesFor } from '../kinds/list'
import { settled } from './conditions'
import type { Annotation, Ontology, TaskData } from './types'

const ontology = table.ontology as unknown as Ontology
const data = table.data as unknown as TaskData

function missing(annotations: readonly Annotation[]): readonly string[] {
  const gaps = gapsIn(questionsOf(ontology, data), annotations, ontology).filter((gap) => gap.why === 'missing')
  const fields = gaps.map(({ question }) => question.field.key + (question.target ? `:${question.target.id}` : ''))
  const attributes = annotations.flatMap((one) =>
    'class' in one ? attributesFor(ontology, one.class, one.attributes).flatMap((a) => (a.required && one.attributes?.[a.name] === undefined ? [`${one.id}.${a.name}`] : [])) : [],
  )
  return [...attributes, ...fields]
}

/** The annotations less those (`id`) and those attributes (`id.name`) that the case names. */
function without(annotations: readonly Annotation[], dropped: readonly string[]): readonly Annotation[] {
  return annotations
    .filter((one) => !dropped.includes(one.id))
    .map((one) => {
      if (!('class' in one)) return one
      const { attributes, ...bare } = one
      const left = Object.entries(attributes ?? {}).filter(([name]) => !dropped.includes(`${one.id}.${name}`))
      return (left.length ? { ...bare, attributes: Object.fromEntries(left) } : bare) as Annotation
    })
}

describe.each(table.cases)('$name', ({ annotations, dropped, missing: wanted }) => {
  const given = annotations as unknown as readonly Annotation[]

  test('is sent without what does not apply', () => {
    const before = JSON.stringify(given)
    expect(settled(ontology, given)).toEqual(without(given, dropped))
    expect(JSON.stringify(given)).toBe(before)
  })

  test('asks for what applies', () => {
    expect(missing(settled(ontology, given))).toEqual(wanted)
    expect(missing(given)).toEqual(wanted)
  })
})

test('without conditions the list is the very same', () => {
  const plain: Ontology = { classes: [], attributes: [], fields: [] }
  const given: readonly Annotation[] = [{ id: 'a', kind: 'point', class: 'c', x: 0, y: 0 }]
  expect(settled(plain, given)).toBe(given)
})
