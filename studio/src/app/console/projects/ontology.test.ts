import { describe, expect, it } from 'vitest'
import { addAttribute, addClass, addField, flaws, moveBy, withKey } from './ontology'
import { palette } from './palette'
import { templates } from './templates'

const empty = { classes: [], attributes: [], fields: [] }

describe('ontology', () => {
  it('gives new classes a colour and a key of their own', () => {
    let ontology = addClass(addClass(addClass(empty, 'image'), 'image'), 'image')
    expect(new Set(ontology.classes.map((item) => item.color)).size).toBe(3)
    expect(ontology.classes.map((item) => item.hotkey)).toEqual(['1', '2', '3'])
    ontology = addField(addAttribute(ontology))
    expect(flaws(ontology, 'image')).toEqual([])
  })
  it('says what is wrong', () => {
    const ontology = { ...empty, classes: [{ name: 'a', hotkey: 'x', kinds: ['box' as const] }, { name: 'a', hotkey: 'x', kinds: [] }] }
    expect(flaws(ontology, 'image').map((flaw) => flaw.key)).toEqual(['console.flaw.class-twice', 'console.flaw.hotkey-twice', 'console.flaw.class-kindless'])
    expect(flaws(empty, 'image')[0]?.key).toBe('console.flaw.empty')
    expect(flaws({ ...empty, classes: [{ name: 'a', kinds: ['span'] }] }, 'image')[0]?.key).toBe('console.flaw.class-kind')
  })
  it('moves without losing', () => {
    expect(moveBy([1, 2, 3], 0, 1)).toEqual([2, 1, 3])
    expect(moveBy([1, 2, 3], 2, 1)).toEqual([1, 2, 3])
  })
  it('leaves empty keys out', () => {
    expect(withKey({ name: 'a', title: 'b' }, 'title', '')).toEqual({ name: 'a' })
  })
})

describe('templates', () => {
  for (const template of templates)
    it(`${template.id} is sound for each of its media`, () => {
      for (const medium of template.media) expect(flaws(template.ontology, medium)).toEqual([])
    })
})

it('has no colour twice', () => {
  expect(new Set(palette.map((color) => color.value)).size).toBe(palette.length)
})
