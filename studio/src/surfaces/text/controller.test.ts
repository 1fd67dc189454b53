import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Annotation, Ontology, SpanAnnotation } from '../../model/types'
import { PlainDocument } from '../forms/document'
import { TextController } from './controller'

const ontology: Ontology = {
  classes: [
    { name: 'Person', kinds: ['span'] },
    { name: 'Place', kinds: ['span'], hotkey: 'p' },
    { name: 'Car', kinds: ['box'] },
  ],
  attributes: [{ name: 'sure', type: 'boolean' }],
  fields: [],
}
const TEXT = 'Tom Hart met 😀 Hart in Évora.\r\nHart left Évora.'
const open = (text = TEXT, annotations: readonly Annotation[] = [], readOnly = false) => new TextController(text, ontology, new PlainDocument(annotations), readOnly)
const spans = (text: TextController) => text.plan.spans.map((span) => [span.class, text.index.slice(span.start, span.end)])
const select = (text: TextController, words: string) => {
  const at = Array.from(text.index.text.slice(0, text.index.text.indexOf(words))).length
  text.select(at, at + Array.from(words).length)
}

describe('labelling', () => {
  it('asks when no label is kept, and trims the selection', () => {
    const text = open()
    select(text, ' Hart ')
    text.finish()
    expect(text.state.picking).toBe(true)
    text.use('Person')
    expect(spans(text)).toEqual([['Person', 'Hart']])
    expect(text.state.picking).toBe(false)
  })

  it('keeps the label for the next selections', () => {
    const text = open()
    text.use('Place')
    expect(text.state.armed).toBe('Place')
    select(text, 'Évora')
    text.finish()
    select(text, 'Tom')
    text.finish()
    expect(spans(text)).toEqual([
      ['Place', 'Tom'],
      ['Place', 'Évora'],
    ])
  })

  it('takes keys: hotkey before number, spans only', () => {
    const text = open()
    expect(text.classForKey('P')?.name).toBe('Place')
    expect(text.classForKey('1')?.name).toBe('Person')
    expect(text.classForKey('3')).toBeNull()
  })

  it('lets spans overlap, and does not make the same one twice', () => {
    const text = open()
    for (const words of ['Tom Hart', 'Hart met', 'Tom Hart']) {
      select(text, words)
      text.use('Person')
    }
    expect(spans(text)).toEqual([
      ['Person', 'Tom Hart'],
      ['Person', 'Hart met'],
    ])
  })

  it('labels the other occurrences in one step, and takes them back in one', () => {
    const text = open()
    select(text, 'Hart')
    text.use('Person')
    expect(text.others()).toHaveLength(2)
    text.labelOthers()
    expect(text.counts().get('Person')).toBe(3)
    expect(text.others()).toHaveLength(0)
    text.document.undo()
    expect(text.counts().get('Person')).toBe(1)
    text.document.redo()
    expect(text.counts().get('Person')).toBe(3)
  })

  it('changes nothing where it may only be read', () => {
    const text = open(TEXT, [{ id: 's', kind: 'span', class: 'Person', start: 0, end: 3 }], true)
    text.choose('s')
    text.removeChosen()
    text.setEnd('end', 8)
    text.use('Place')
    select(text, 'Hart')
    text.use('Place')
    expect(spans(text)).toEqual([['Person', 'Tom']])
  })
})

describe('the chosen span', () => {
  const one: SpanAnnotation = { id: 's', kind: 'span', class: 'Person', start: 4, end: 8 }

  it('changes class, ends and attributes, and goes', () => {
    const text = open(TEXT, [one])
    text.choose('s')
    text.use('Place')
    text.stepEnd('start', -1, 'word')
    text.setAttribute('sure', true)
    expect(text.plan.spans).toEqual([{ ...one, class: 'Place', start: 0, attributes: { sure: true } }])
    text.setAttribute('sure', null)
    expect(text.chosenSpan()?.attributes).toEqual({})
    text.removeChosen()
    expect(text.plan.spans).toEqual([])
    expect(text.state.chosen).toBeNull()
    text.document.undo()
    expect(text.plan.spans).toHaveLength(1)
  })

  it('never turns inside out or leaves the text', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('start' as const, 'end' as const), fc.integer({ min: -20, max: 200 }))), (moves) => {
        const text = open(TEXT, [one])
        text.choose('s')
        for (const [which, point] of moves) {
          text.setEnd(which, point)
          const { start, end } = text.chosenSpan()!
          expect(start).toBeGreaterThanOrEqual(0)
          expect(end).toBeLessThanOrEqual(text.index.length)
          expect(start).toBeLessThan(end)
        }
      }),
    )
  })

  it('is the shortest under the pointer first, then the longer ones', () => {
    const text = open(TEXT, [one, { id: 'long', kind: 'span', class: 'Place', start: 0, end: 12 }])
    text.chooseAt(5)
    expect(text.state.chosen).toBe('s')
    text.chooseAt(5)
    expect(text.state.chosen).toBe('long')
    text.chooseAt(30)
    expect(text.state.chosen).toBeNull()
  })

  it('goes from span to span and round', () => {
    const text = open(TEXT, [one, { id: 'z', kind: 'span', class: 'Place', start: 22, end: 27 }])
    text.step(1)
    expect(text.state.chosen).toBe('s')
    text.step(1)
    expect(text.state.chosen).toBe('z')
    text.step(1)
    expect(text.state.chosen).toBe('s')
    text.step(-1)
    expect(text.state.chosen).toBe('z')
  })
})

describe('the caret', () => {
  it('moves, extends and collapses as everywhere', () => {
    const text = open()
    text.place(0, false)
    text.move(1, 'word', true)
    text.move(1, 'word', true)
    expect(text.selection()).toEqual({ start: 0, end: 8 })
    text.move(-1, 'character', false)
    expect(text.state.caret).toMatchObject({ anchor: 0, focus: 0 })
  })

  it('gets out step by step', () => {
    const text = open()
    text.use('Person')
    select(text, 'Tom')
    text.finish()
    select(text, 'Hart')
    for (const left of ['selection', 'chosen', 'armed']) expect([left, text.escape()]).toEqual([left, true])
    expect(text.escape()).toBe(false)
  })
})

describe('history', () => {
  it('comes back from a draft and undoes across it', () => {
    const text = open()
    select(text, 'Tom')
    text.use('Person')
    text.labelOthers()
    const draft = JSON.parse(JSON.stringify({ marks: text.document.marks, annotations: text.document.annotations })) as { marks: unknown[]; annotations: Annotation[] }
    const again = PlainDocument.resume(draft.annotations, draft.marks)
    expect(again.undo()).toBe(true)
    expect(again.annotations).toEqual([])
  })
})
