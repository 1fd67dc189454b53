import { describe, expect, it } from 'vitest'
import cases from '../../../../../fixtures/conditions/cases.json'
import type { Condition, Ontology } from '../../../model/types'
import { flaws } from './ontology'
import { circular, conditionOf, leafOf, leavesOf, renamed, simpleOf, sourceId, sourcesFor, waitingFor, wanted } from './when'

const ontology = cases.ontology as unknown as Ontology
const say = { yes: 'Yes', no: 'No', class: 'Class', strength: (value: number) => `strength ${value}` }
const all = [...ontology.attributes, ...ontology.fields].flatMap((one) => (one.when ? [one.when] : []))

describe('conditions in the editor', () => {
  it('come out as they went in, or are left alone', () => {
    const deep = all.filter((when) => simpleOf(when) === null)
    for (const when of all) {
      const simple = simpleOf(when)
      if (simple) expect(conditionOf(simple)).toEqual(when)
    }
    expect(all.length - deep.length).toBeGreaterThan(5)
    expect(deep.length).toBeGreaterThan(0)
    expect(simpleOf(undefined)).toEqual({ how: 'all', parts: [] })
    expect(conditionOf({ how: 'any', parts: [] })).toBeUndefined()
  })
  it('offer what there is, never the owner itself, and begin with a value', () => {
    const attributes = sourcesFor(ontology, { kind: 'attribute', name: 'since' }, say)
    expect(attributes.map((one) => one.id)).not.toContain('attribute since')
    expect(attributes[0]).toEqual({ id: 'class', name: 'Class', values: ['car', 'calf', 'word'].map((value) => ({ value, label: value })) })
    const parked = attributes.find((one) => one.id === 'attribute parked')!
    expect(leafOf(parked)).toEqual({ attribute: 'parked', in: [true] })
    const fields = sourcesFor(ontology, { kind: 'field', name: 'why' }, say)
    expect(fields.find((one) => one.id === 'field stars')!.values!.map((one) => one.value)).toEqual([0, 1, 2, 3, 4, 5])
    expect(fields.find((one) => one.id === 'field better')!.values!.map((one) => one.value)).toEqual([0, 1, 2, 3])
    const text = fields.find((one) => one.id === 'field door')!
    expect([text.values, leafOf(text)]).toEqual([null, { field: 'door' }])
    for (const source of [...attributes, ...fields]) expect(sourceId(leafOf(source))).toBe(source.id)
  })
  it('wait for values, or for any answer', () => {
    expect(waitingFor({ field: 'a', in: [1] }, [1, 2])).toEqual({ field: 'a', in: [1, 2] })
    expect(waitingFor({ field: 'a', in: [1] }, null)).toEqual({ field: 'a' })
    expect(wanted({ field: 'a' })).toBeNull()
    expect(waitingFor({ class: ['a'] }, ['a', 'b'])).toEqual({ class: ['a', 'b'] })
  })
  it('follow a new name, however deep they are', () => {
    const next = renamed(renamed(renamed(ontology, 'class', 'car', 'vehicle'), 'attribute', 'parked', 'stands'), 'field', 'damage', 'broken')
    const leaves = [...next.attributes, ...next.fields].flatMap((one) => (one.when ? leavesOf(one.when) : []))
    const text = JSON.stringify(leaves)
    expect(text).toContain('vehicle')
    expect(text).toContain('stands')
    expect(text).toContain('broken')
    expect(text).not.toMatch(/"car"|"parked"|"damage"/)
    expect(leaves.length).toBe(all.flatMap(leavesOf).length)
  })
  it('are refused where they go in a circle or look at nothing', () => {
    const on = (field: string): Condition => ({ field })
    expect(circular(new Map([['a', on('b')], ['b', on('c')], ['c', on('a')]]))).toBe('a')
    expect(circular(new Map([['a', on('b')], ['b', on('c')]]))).toBeNull()
    const text = (key: string, when?: Condition) => ({ key, type: 'text' as const, ...(when ? { when } : {}) })
    const keys = (fields: Ontology['fields']) => flaws({ classes: [], attributes: [], fields }, 'text').map((flaw) => flaw.key)
    expect(keys([text('a', on('b')), text('b')])).toEqual([])
    expect(keys([text('a', on('b')), text('b', on('a'))])).toEqual(['console.flaw.when-circle'])
    expect(keys([text('a', on('gone'))])).toEqual(['console.flaw.when-gone'])
    expect(keys([text('a', { field: 'b', in: [] }), text('b')])).toEqual(['console.flaw.when-empty'])
    expect(keys([text('a', { field: 'b', in: ['no'] }), { key: 'b', type: 'choice', choices: [{ value: 'x' }, { value: 'y' }] }])).toEqual(['console.flaw.when-value'])
  })
  it('of the shared cases are without flaw', () => {
    expect(flaws(ontology, 'image').filter((flaw) => flaw.key.startsWith('console.flaw.when'))).toEqual([])
  })
})
