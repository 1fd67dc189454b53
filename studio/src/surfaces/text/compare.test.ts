import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits } from '../../kernel/edits'
import { Scene } from '../../kernel/scene'
import type { Annotation, SpanAnnotation } from '../../model/types'
import { differencesOf, takingOver } from './compare'

let count = 0
const span = (name: string, start: number, end: number, attributes?: SpanAnnotation['attributes']): SpanAnnotation => ({ id: `s${++count}`, kind: 'span', class: name, start, end, ...(attributes ? { attributes } : {}) })
const hows = (mine: readonly SpanAnnotation[], theirs: readonly SpanAnnotation[]) => differencesOf(mine, theirs).map((one) => one.how)

describe('two answers to a text', () => {
  it('are the same whatever their ids and order', () => {
    expect(hows([span('A', 0, 3), span('B', 5, 9, { x: 1, y: 2 })], [span('B', 5, 9, { y: 2, x: 1 }), span('A', 0, 3)])).toEqual([])
  })

  it('differ in class, ends, attributes, or are there once only; in reading order', () => {
    const mine = [span('A', 0, 3), span('A', 10, 15), span('B', 20, 25, { sure: true }), span('C', 40, 42)]
    const theirs = [span('B', 0, 3), span('A', 11, 16), span('B', 20, 25), span('C', 30, 33)]
    expect(hows(mine, theirs)).toEqual(['class', 'ends', 'attributes', 'theirs', 'mine'])
  })

  it('pair up each span once', () => {
    expect(hows([span('A', 0, 3), span('A', 0, 3)], [span('A', 0, 3)])).toEqual(['mine'])
  })

  it('are the same after all of it was taken over', () => {
    const one = fc.record({ name: fc.constantFrom('A', 'B'), start: fc.nat(20), length: fc.integer({ min: 1, max: 8 }), sure: fc.option(fc.boolean(), { nil: undefined }) })
    const list = fc.array(one.map(({ name, start, length, sure }) => span(name, start, start + length, sure === undefined ? undefined : { sure })), { maxLength: 8 })
    fc.assert(
      fc.property(list, list, (mine, theirs) => {
        let scene: Scene<Annotation> = Scene.of<Annotation>(mine, () => null)
        let made = 0
        for (const difference of differencesOf(mine, theirs)) scene = applyEdits(scene, takingOver(difference, scene, () => `new${made++}`))
        expect(differencesOf(scene.items() as SpanAnnotation[], theirs)).toEqual([])
      }),
    )
  })
})
