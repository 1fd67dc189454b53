import { describe, expect, it, vi } from 'vitest'
import type { Annotation } from '../../model/types'
import { Desk, differences, readableHistory } from './desk'
import type { Held } from './loopState'
import type { Assignment } from './types'
import { parseRate, payText } from './TimePay'

const assignment: Assignment = {
  handle: 'h',
  role: 'label',
  task: 't',
  project: { id: 'p', name: 'P', medium: 'text' },
  data: { medium: 'text', text: 'Tom met Ann.', prelabels: [{ id: 'pre', kind: 'span', class: 'Person', start: 0, end: 3 }] },
  ontology: {
    classes: [{ name: 'Person', kinds: ['span'] }],
    attributes: [{ name: 'sure', title: 'Sure', type: 'boolean', required: true }],
    fields: [{ key: 'topic', title: 'Topic', type: 'text', required: true }],
  },
  instructions_version: 1,
  lease_until: '',
  lease_s: 60,
  server_now: '',
  draft: null,
  answer: null,
}
const held = (more: Partial<Assignment> = {}, draft: Held['draft'] = null): Held => ({ assignment: { ...assignment, ...more }, draft, lost: false })
const ann: Annotation = { id: 'a', kind: 'span', class: 'Person', start: 8, end: 11, attributes: { sure: true } }

describe('a task on the desk', () => {
  it('starts from the draft, else the earlier answer, else the suggestions', () => {
    expect(new Desk(held(), vi.fn()).document?.annotations).toEqual(assignment.data.prelabels)
    expect(new Desk(held({ answer: { annotations: [ann] } }), vi.fn()).document?.annotations).toEqual([ann])
    expect(new Desk(held({ answer: { annotations: [ann] } }, { edits: [], annotations: [], seconds: 0 }), vi.fn()).document?.annotations).toEqual([])
  })

  it('gives way to suggestions with the same id twice', () => {
    expect(new Desk(held({ answer: { annotations: [ann, ann] } }), vi.fn()).document?.annotations).toHaveLength(1)
  })

  it('names what is missing, and notices when it is there', () => {
    const desk = new Desk(held(), vi.fn())
    expect(desk.check()).toBe(false)
    expect(desk.missing).toMatchObject([{ name: 'Topic', question: 'f0-topic' }, { annotation: 'pre' }])
    desk.text?.choose('pre')
    desk.text?.setAttribute('sure', false)
    expect(desk.missing).toHaveLength(1)
    desk.document?.put('x', { id: 'f0-topic', kind: 'text', field: 'topic', text: 'x' })
    expect(desk.missing).toEqual([])
    expect(desk.check()).toBe(true)
  })

  it('makes no draft of a task that was only looked at', () => {
    const save = vi.fn()
    const desk = new Desk(held(), save)
    desk.check()
    desk.flush()
    desk.dispose()
    expect(save).not.toHaveBeenCalled()
  })

  it('saves after every edit, with its history', () => {
    const save = vi.fn()
    const desk = new Desk(held(), save)
    desk.text?.label('Person', { start: 8, end: 11 })
    expect(save).toHaveBeenCalledTimes(1)
    const [marks, annotations] = save.mock.calls[0] as [unknown[], Annotation[]]
    const again = new Desk(held({}, { edits: JSON.parse(JSON.stringify(marks)) as unknown[], annotations, seconds: 3 }), vi.fn())
    expect(readableHistory(again.document!)).toHaveLength(1)
    again.document?.undo()
    expect(again.document?.annotations).toEqual(assignment.data.prelabels)
  })
})

describe('review', () => {
  const answers = [
    { id: '1', by: 'kestrel', annotations: [ann], extra: false, late: false, submitted_at: '' },
    { id: '2', by: 'heron', annotations: [], extra: true, late: true, submitted_at: '' },
  ]
  const desk = () => new Desk(held({ role: 'review', review: { by: 'kestrel', answers, comments: [] } }), vi.fn())

  it('shows the first answer, and the others with what was changed in each', () => {
    const review = desk()
    expect(review.changed).toBe(false)
    review.text?.choose('a')
    review.text?.removeChosen()
    expect(review.changed).toBe(true)
    review.show('2')
    expect(review.document?.annotations).toEqual([])
    expect(review.changed).toBe(false)
    review.show('1')
    expect(review.changed).toBe(true)
    review.document?.undo()
    expect(review.changed).toBe(false)
  })

  it('compares answers by what they say, not by ids, order or empty attributes', () => {
    expect(differences([ann], [{ ...ann, id: 'other' }])).toBe(0)
    expect(differences([{ id: 'b', kind: 'point', class: 'c', x: 1, y: 2, attributes: {} }], [{ id: 'd', kind: 'point', x: 1, y: 2, class: 'c' }])).toBe(0)
    expect(differences([ann], [{ ...ann, end: 10 }])).toBe(1)
    expect(differences([ann, ann], [ann])).toBe(1)
  })
})

describe('pay', () => {
  it('reads the usual ways to write a rate', () => {
    expect(parseRate('18.50 EUR/h')).toEqual({ amount: 18.5, currency: 'EUR', per: 'hour' })
    expect(parseRate('€0,40 per task')).toEqual({ amount: 0.4, currency: 'EUR', per: 'task' })
    expect(parseRate('by agreement')).toBeNull()
    expect(parseRate('')).toBeNull()
  })

  it('counts by the second or by the task', () => {
    expect(payText({ amount: 18, currency: 'EUR', per: 'hour' }, 200)).toBe('€1.00')
    expect(payText({ amount: 0.4, currency: 'EUR', per: 'task' }, 200)).toBe('€0.40')
  })
})

describe('a review that was begun', () => {
  const other: Annotation = { id: 'o', kind: 'span', class: 'Person', start: 0, end: 3, attributes: { sure: true } }
  const answer = (id: string, annotations: readonly Annotation[]) => ({ id, by: id, annotations, extra: false, late: false, submitted_at: '' })
  const review = { by: 'one', answers: [answer('one', [ann]), answer('two', [other])], comments: [] }
  const reopened = (save: ReturnType<typeof vi.fn>) => {
    const [edits, annotations, begun] = save.mock.calls.at(-1) as Parameters<ConstructorParameters<typeof Desk>[1]>
    return new Desk(held({ review }, JSON.parse(JSON.stringify({ edits, annotations, seconds: 1, review: begun })) as Held['draft']), vi.fn())
  }

  it('comes back after a reload: the fixes, the answer that was open, the words half written', () => {
    vi.useFakeTimers()
    const save = vi.fn()
    const desk = new Desk(held({ review }), save)
    desk.text?.choose('a')
    desk.text?.removeChosen()
    desk.show('two')
    desk.text?.choose('o')
    desk.text?.setAttribute('sure', false)
    desk.setComment('The name beg')
    vi.advanceTimersByTime(300)
    vi.useRealTimers()
    const again = reopened(save)
    expect(again.which).toBe('two')
    expect(again.comment).toBe('The name beg')
    expect(again.document?.annotations).toEqual([{ ...other, attributes: { sure: false } }])
    expect(again.document?.undo()).toBe(true)
    again.show('one')
    expect(again.document?.annotations).toEqual([])
    expect(again.changed).toBe(true)
    expect(again.document?.undo()).toBe(true)
    expect(again.document?.annotations).toEqual([ann])
  })

  it('is no draft when answers were only looked at', () => {
    const save = vi.fn()
    const desk = new Desk(held({ review }), save)
    desk.show('two')
    desk.show('one')
    desk.dispose()
    expect(save).not.toHaveBeenCalled()
  })
})

describe('what does not apply', () => {
  const ontology = { classes: [], attributes: [], fields: [{ key: 'a', type: 'text' as const }, { key: 'b', type: 'text' as const, required: true, when: { field: 'a', in: ['yes'] } }] }

  it('is not asked for, and not sent; while the task is open it is not forgotten', () => {
    const desk = new Desk(held({ data: { medium: 'none' }, ontology }), vi.fn())
    const put = (id: string, field: string, text: string) => desk.document?.put('x', { id, kind: 'text', field, text })
    expect(desk.check()).toBe(true)
    put('f0-a', 'a', 'yes')
    expect(desk.check()).toBe(false)
    put('f1-b', 'b', 'because')
    expect(desk.check()).toBe(true)
    put('f0-a', 'a', 'no')
    expect(desk.check()).toBe(true)
    expect(desk.answer().annotations).toEqual([{ id: 'f0-a', kind: 'text', field: 'a', text: 'no' }])
    put('f0-a', 'a', 'yes')
    expect(desk.answer().annotations).toHaveLength(2)
  })
})
