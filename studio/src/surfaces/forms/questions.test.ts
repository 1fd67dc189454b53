import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkAnnotation } from '../../model/check'
import type { Annotation, ConversationTaskData, Ontology, OntologyField } from '../../model/types'
import { PlainDocument } from './document'
import { diffWords } from './diff'
import { answerByKey, inTurn } from './keys'
import { answerTo, gapsIn, gradesOf, questionsOf, scaleOf, toggled } from './questions'

const answers = [
  { id: 'a1', text: 'One.' },
  { id: 'a2', text: 'Two.' },
]
const data: ConversationTaskData = { medium: 'conversation', conversation: { messages: [], answers } }
const fields: readonly OntologyField[] = [
  { key: 'better', type: 'preference', required: true },
  { key: 'quality', type: 'rating', min: 1, max: 5, target: 'answers', required: true },
  { key: 'faults', type: 'choice', multiple: true, target: 'answers', choices: [{ value: 'long' }, { value: 'wrong', hotkey: 'w' }] },
  { key: 'lang', type: 'choice', choices: [{ value: 'en' }, { value: 'de' }] },
  { key: 'minutes', type: 'number', min: 0, max: 90 },
  { key: 'better text', type: 'text', prefill: 'answer' },
]
const ontology: Ontology = { classes: [], attributes: [], fields }
const questions = questionsOf(ontology, data)
const named = (id: string) => questions.find((question) => question.id === id)!

describe('questions', () => {
  it('come once for the task or once for each answer, with ids that the contract allows', () => {
    expect(questions.map((question) => [question.field.key, question.target?.id ?? null])).toEqual([
      ['better', null],
      ['quality', 'a1'],
      ['quality', 'a2'],
      ['faults', 'a1'],
      ['faults', 'a2'],
      ['lang', null],
      ['minutes', null],
      ['better text', null],
    ])
    for (const question of questions) expect(question.id).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
    expect(new Set(questions.map((question) => question.id)).size).toBe(questions.length)
  })

  it('find their answers, also those of suggestions with other ids', () => {
    const given: Annotation[] = [
      { id: 'x', kind: 'rating', field: 'quality', value: 3, target: 'a2' },
      { id: 'y', kind: 'choice', field: 'lang', values: ['de'] },
      { id: 'z', kind: 'text', field: 'better text', text: 'Two!', target: 'a2' },
    ]
    expect(answerTo(questions[1]!, given)).toBeNull()
    expect(answerTo(questions[2]!, given)?.id).toBe('x')
    expect(answerTo(questions[5]!, given)?.id).toBe('y')
    expect(answerTo(questions[7]!, given)?.id).toBe('z')
  })

  it('name what is missing or out of range', () => {
    expect(gapsIn(questions, [], ontology).map((gap) => gap.question.id)).toEqual(['f0-better', 'f1-quality-a1', 'f1-quality-a2'])
    const low: Annotation = { id: 'n', kind: 'rating', field: 'minutes', value: -1 }
    expect(gapsIn(questions, [low], ontology).at(-1)).toMatchObject({ why: 'low', question: { id: 'f4-minutes' } })
    const blank: Annotation = { id: 't', kind: 'text', field: 'must', text: '  ' }
    const must: Ontology = { ...ontology, fields: [{ key: 'must', type: 'text', required: true }] }
    expect(gapsIn(questionsOf(must, data), [blank], must)).toHaveLength(1)
  })
})

describe('answers by key', () => {
  it('are annotations of the contract', () => {
    const document = new PlainDocument([])
    for (const [id, key] of [['f0-better', '7'], ['f1-quality-a1', '5'], ['f1-quality-a2', '2'], ['f2-faults-a1', 'w'], ['f2-faults-a2', '1'], ['f3-lang', '2']] as const) {
      expect(answerByKey(named(id), document, answers, key)).toBe(true)
    }
    expect(gapsIn(questions, document.annotations, ontology)).toEqual([])
    for (const annotation of document.annotations) expect(checkAnnotation(annotation)).toMatchObject({ ok: true })
    expect(document.annotations).toContainEqual({ id: 'f0-better', kind: 'preference', field: 'better', winner: 'a2', strength: 3 })
    expect(document.annotations).toContainEqual({ id: 'f2-faults-a1', kind: 'choice', field: 'faults', values: ['wrong'] })
    expect(answerByKey(named('f1-quality-a1'), document, answers, '9')).toBe(false)
  })

  it('go to the first that has none, or to the one with the focus', () => {
    const document = new PlainDocument([])
    expect(inTurn(questions, document, null)?.id).toBe('f0-better')
    answerByKey(questions[0]!, document, answers, '4')
    expect(inTurn(questions, document, null)?.id).toBe('f1-quality-a1')
    expect(inTurn(questions, document, 'f3-lang')?.id).toBe('f3-lang')
  })

  it('are taken back one by one', () => {
    const document = new PlainDocument([])
    answerByKey(questions[0]!, document, answers, '4')
    answerByKey(questions[0]!, document, answers, '1')
    expect(document.annotations).toMatchObject([{ winner: 'a1', strength: 3 }])
    document.undo()
    expect(document.annotations).toMatchObject([{ winner: null, strength: 0 }])
    document.undo()
    expect(document.annotations).toEqual([])
  })
})

describe('options and scales', () => {
  it('toggle, in the order of the ontology, and go when none is left', () => {
    const question = named('f2-faults-a1')
    const first = toggled(question, 'wrong', null)
    const both = toggled(question, 'long', first)
    expect(both?.values).toEqual(['long', 'wrong'])
    expect(toggled(question, 'wrong', toggled(question, 'long', both))).toBeNull()
  })

  it('are buttons while they are few', () => {
    const field = (more: Partial<OntologyField>): OntologyField => ({ key: 'k', type: 'rating', ...more })
    expect(scaleOf(field({}))).toEqual([1, 2, 3, 4, 5])
    expect(scaleOf(field({ min: 0, max: 1, step: 0.1 }))?.at(3)).toBe(0.3)
    expect(scaleOf(field({ min: 0, max: 100 }))).toBeNull()
    expect(scaleOf(field({ min: 5, max: 1 }))).toBeNull()
    expect(scaleOf(field({ type: 'number', min: 1, max: 5 }))).toBeNull()
  })

  it('grade two answers in seven steps, strength 0 if and only if nobody wins', () => {
    const grades = gradesOf(answers)
    expect(grades).toHaveLength(7)
    for (const grade of grades) expect(grade.strength === 0).toBe(grade.winner === null)
    expect(gradesOf([])).toEqual([])
  })
})

describe('differences of a rewrite', () => {
  it('join to both texts', () => {
    const words = fc.array(fc.constantFrom('the', 'cat', ' ', '. ', 'sat', 'é', '😀', '\n')).map((parts) => parts.join(''))
    fc.assert(
      fc.property(words, words, (before, after) => {
        const changes = diffWords(before, after)
        expect(changes.filter((change) => change.op !== 'new').map((change) => change.text).join('')).toBe(before)
        expect(changes.filter((change) => change.op !== 'gone').map((change) => change.text).join('')).toBe(after)
      }),
    )
  })

  it('name the word that changed', () => {
    expect(diffWords('The cat sat.', 'The dog sat.')).toEqual([
      { op: 'same', text: 'The ' },
      { op: 'gone', text: 'cat' },
      { op: 'new', text: 'dog' },
      { op: 'same', text: ' sat.' },
    ])
  })
})
