// @vitest-environment jsdom
import fc from 'fast-check'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Markdown } from './Markdown'
import { parseMarkdown, plainText } from './parse'
import { safeImage, safeLink } from './safe'

;(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true

let root: Root
let host: HTMLElement
beforeEach(() => {
  host = document.createElement('div')
  root = createRoot(host)
})
afterEach(() => act(() => root.unmount()))

const show = (source: string, find = ''): HTMLElement => {
  act(() => root.render(<Markdown source={source} find={find} />))
  return host
}
const html = (source: string): string => show(source).firstElementChild?.innerHTML ?? ''

describe('what it understands', () => {
  it('headings, under the page they stand on', () => {
    expect(html('# One\n\n## Two #\nText')).toBe('<h3 dir="auto">One</h3><h4 dir="auto">Two</h4><p dir="auto">Text</p>')
  })

  it('emphasis, code and breaks', () => {
    expect(html('*a* **b** `c*d*` ~~e~~ ***f***')).toContain('<em>a</em> <strong>b</strong> <code>c*d*</code> <del>e</del>')
    expect(html('snake_case_name and 2 * 3 * 4')).toBe('<p dir="auto">snake_case_name and 2 * 3 * 4</p>')
    expect(html('one  \ntwo\\\nthree')).toBe('<p dir="auto">one<br>two<br>three</p>')
    expect(html('\\*not\\*')).toBe('<p dir="auto">*not*</p>')
  })

  it('lists in lists, and numbers that go on', () => {
    const list = show('- a\n  - b\n  - c\n- d\n\n3. x\n4. y')
    expect(list.querySelectorAll('ul > li > ul > li')).toHaveLength(2)
    expect(list.querySelectorAll('.eh-md > ul > li')).toHaveLength(2)
    expect(list.querySelector('ol')?.getAttribute('start')).toBe('3')
  })

  it('quotes, fences, rules and tables', () => {
    const page = show('> said\n> so\n\n```js\nlet a = "<b>"\n```\n\n---\n\n| a | b |\n|:--|--:|\n| 1 | x \\| y |')
    expect(page.querySelector('blockquote p')?.textContent).toBe('said\nso')
    expect(page.querySelector('pre code')?.textContent).toBe('let a = "<b>"')
    expect(page.querySelector('hr')).not.toBeNull()
    expect([...page.querySelectorAll('td')].map((cell) => cell.textContent)).toEqual(['1', 'x | y'])
    expect(page.querySelectorAll<HTMLElement>('td')[1]?.style.textAlign).toBe('right')
  })

  it('links, bare ones too', () => {
    const page = show('[site](https://example.org/a_(b) "t") and https://example.org/x. <https://example.org/y>')
    expect([...page.querySelectorAll('a')].map((a) => a.getAttribute('href'))).toEqual(['https://example.org/a_(b)', 'https://example.org/x', 'https://example.org/y'])
    for (const a of page.querySelectorAll('a')) expect(a.getAttribute('rel')).toContain('noopener')
  })

  it('marks what is searched for', () => {
    expect([...show('A **van** is a Van', 'van').querySelectorAll('mark')].map((mark) => mark.textContent)).toEqual(['van', 'Van'])
  })
})

describe('what it refuses', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\tscript:alert(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:x)',
    '[x](//evil.example)',
    '[x](/api/v1/session)',
    '![x](https://evil.example/pixel.png)',
    '![x](javascript:alert(1))',
    '![x](data:image/svg+xml,<svg onload=alert(1)>)',
    '![x](/api/v1/session)',
    '![x](/media/../api/v1/session)',
    '<https://example.org/"onmouseover="alert(1)>',
    '[a]: javascript:alert(1)\n[a]',
    '`<b>`',
    '| <b> |\n|--|\n| <i onclick=x> |',
  ]

  it.each(hostile)('%s', (source) => {
    const page = show(source)
    expect(page.querySelector('script, iframe, object, svg, style, form, b, i')).toBeNull()
    for (const element of page.querySelectorAll('*')) {
      for (const attribute of element.attributes) {
        expect(attribute.name.startsWith('on')).toBe(false)
        if (attribute.name === 'href') expect(attribute.value).toMatch(/^https?:\/\//)
        if (attribute.name === 'src') expect(new URL(attribute.value).pathname.startsWith('/media/')).toBe(true)
      }
    }
  })

  it('shows pictures from our own media only', () => {
    const page = { origin: 'http://localhost:8080', port: '8080' }
    expect(safeImage('/media/a/b.jpg?sig=1', page)).toBe('http://localhost:8080/media/a/b.jpg?sig=1')
    expect(safeImage('http://127.0.0.1:8080/media/a.jpg', page)).toBe('http://127.0.0.1:8080/media/a.jpg')
    expect(safeImage('http://127.0.0.1:9090/media/a.jpg', page)).toBeNull()
    expect(safeImage('https://evil.example/media/a.jpg', page)).toBeNull()
    expect(safeImage('/media/../api/v1/session', page)).toBeNull()
    expect(safeImage('javascript:/media/', page)).toBeNull()
  })

  it('links to http and https only', () => {
    expect(safeLink('https://a.example/')).toBe('https://a.example/')
    for (const bad of ['javascript:alert(1)', ' javascript:alert(1)', 'https:alert', 'ftp://a', 'file:///etc/passwd', 'http://', '//a', 'https://']) expect(safeLink(bad)).toBeNull()
  })
})

describe('what it survives', () => {
  const bits = ['*', '**', '_', '`', '``', '[', ']', '(', ')', '![', '<', '>', '\n', '\n\n', '- ', '1. ', '> ', '#', '| ', '|--|', 'a', ' ', '\\', '~~', 'https://a.b', '```', '    ']

  it('anything, without losing a letter', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...bits, 'x', 'y'), { maxLength: 60 }), (parts) => {
        const source = parts.join('')
        const out = plainText(parseMarkdown(source))
        const letters = (text: string): number => (text.match(/[xy]/g) ?? []).length
        // A fence takes its info word, a link its address: nothing else may go.
        if (!source.includes('```') && !source.includes('](') && !source.includes('|')) expect(letters(out)).toBe(letters(source))
      }),
      { numRuns: 500 },
    )
  })

  it('repetition, in linear time', () => {
    const start = performance.now()
    for (const bit of ['*', '_', '`', '[', '![', '<', '**a', '[a](', '> ', '- ', '|', '~~', '\\', '# ', '(', 'https://']) parseMarkdown(bit.repeat(20_000))
    parseMarkdown(Array.from({ length: 2000 }, (_, i) => `${'  '.repeat(i % 50)}- x`).join('\n'))
    parseMarkdown('>'.repeat(5000))
    expect(performance.now() - start).toBeLessThan(8000)
  })
})
