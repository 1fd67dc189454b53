// @vitest-environment jsdom
import fc from 'fast-check'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Ontology, SpanAnnotation } from '../../model/types'
import { PlainDocument } from '../forms/document'
import { TextController } from './controller'
import { chunkAt } from './layout'
import { domAt, unitsAt } from './place'
import { TextSurface } from './TextSurface'

;(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true

const ontology: Ontology = { classes: [{ name: 'A', kinds: ['span'] }, { name: '<b>B</b>', kinds: ['span'] }], attributes: [], fields: [] }
let root: Root
let host: HTMLElement
beforeEach(() => {
  vi.stubGlobal('ResizeObserver', class { observe() {} disconnect() {} })
  vi.stubGlobal('IntersectionObserver', class { observe() {} disconnect() {} })
  Element.prototype.scrollIntoView = () => undefined
  host = document.createElement('div')
  document.body.append(host)
  root = createRoot(host)
})
afterEach(() => {
  act(() => root.unmount())
  host.remove()
})

function open(text: string, spans: readonly SpanAnnotation[]): { controller: TextController; page: Element } {
  const controller = new TextController(text, ontology, new PlainDocument(spans))
  act(() => root.render(<TextSurface controller={controller} name="t" key={Math.random()} />))
  return { controller, page: host.querySelector('.eh-text-page')! }
}

const awkward = fc.array(fc.constantFrom('word', ' ', '\n', '\r\n', 'e\u0301', '😀', '\r', 'שלום', '東京', '<script>', '&amp;'), { maxLength: 20 }).map((parts) => parts.join(''))

describe('offsets in the page', () => {
  it('go to the DOM and back, whatever the text and its labels', () => {
    fc.assert(
      fc.property(awkward, fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 12 })), { maxLength: 6 }), (text, pairs) => {
        const length = Array.from(text).length
        const spans = pairs.filter(([start]) => start < length).map(([start, size], i): SpanAnnotation => ({ id: `s${i}`, kind: 'span', class: i % 2 ? 'A' : '<b>B</b>', start, end: Math.min(length, start + size) }))
        const { controller, page } = open(text, spans)
        for (const row of controller.rows) {
          for (let point = row.start; point <= row.end; point++) {
            const units = controller.index.toUnits(point)
            const place = domAt(page, units, chunkAt(controller.chunks, point))!
            expect(controller.index.toPoints(unitsAt(page, place.node, place.offset)!)).toBe(point)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('show the text as text: joined, the rows are what was sent', () => {
    const text = 'a <b>bold</b>\r\n<img src=x onerror=alert(1)>\n&amp; "q"'
    const { page } = open(text, [{ id: 's', kind: 'span', class: '<b>B</b>', start: 2, end: 9 }])
    expect([...page.querySelectorAll('[data-r]')].map((row) => row.textContent)).toEqual(['a <b>bold</b>', '<img src=x onerror=alert(1)>', '&amp; "q"'])
    expect(page.querySelector('b, img, script')).toBeNull()
  })

  it('are found beside a label name, and before and after all text', () => {
    const { page } = open('one two', [{ id: 's', kind: 'span', class: 'A', start: 0, end: 3 }])
    const tag = page.querySelector('[data-span="s"]')!
    expect(unitsAt(page, tag, 0)).toBe(3)
    const row = page.querySelector('[data-r]')!
    expect(unitsAt(page, row, 0)).toBe(0)
    expect(unitsAt(page, row, row.childNodes.length)).toBe(7)
    expect(unitsAt(page, page, 0)).toBe(0)
    expect(unitsAt(page, page, page.childNodes.length)).toBe(7)
    expect(unitsAt(page, document.body, 0)).toBeNull()
  })
})
