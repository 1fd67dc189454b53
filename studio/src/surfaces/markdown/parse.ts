/**
 * A small Markdown: headings, paragraphs, lists, quotes, code, tables, emphasis, links, images. Text in, a tree out; there is no
 * HTML in the language, so what looks like HTML is text. Every loop moves forward, so hostile input costs linear time.
 */

export type Inline =
  | { readonly t: 'text'; readonly text: string }
  | { readonly t: 'code'; readonly text: string }
  | { readonly t: 'strong' | 'em' | 'del'; readonly kids: readonly Inline[] }
  | { readonly t: 'link'; readonly href: string; readonly kids: readonly Inline[] }
  | { readonly t: 'image'; readonly src: string; readonly alt: string }
  | { readonly t: 'break' }

export type Align = 'left' | 'right' | 'center' | null

export type Block =
  | { readonly t: 'heading'; readonly level: number; readonly kids: readonly Inline[] }
  | { readonly t: 'paragraph'; readonly kids: readonly Inline[] }
  | { readonly t: 'code'; readonly text: string }
  | { readonly t: 'quote'; readonly kids: readonly Block[] }
  | { readonly t: 'list'; readonly ordered: boolean; readonly start: number; readonly items: readonly (readonly Block[])[] }
  | { readonly t: 'table'; readonly align: readonly Align[]; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] }
  | { readonly t: 'rule' }

/** Deeper than this is shown as plain text: nobody writes it, and the stack is finite. */
const MAX_DEPTH = 12
const MAX_COLUMNS = 50

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:[ \t]+(.*)|[ \t]*)$/
const QUOTE = /^ {0,3}> ?(.*)$/
const DIVIDER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/

export function parseMarkdown(source: string): readonly Block[] {
  return blocks(source.replace(/\r\n?/g, '\n').split('\n'), 0)
}

interface Cursor {
  readonly lines: readonly string[]
  at: number
  readonly depth: number
}

function blocks(lines: readonly string[], depth: number): Block[] {
  if (depth > MAX_DEPTH) return [{ t: 'paragraph', kids: [{ t: 'text', text: lines.join('\n') }] }]
  const cursor: Cursor = { lines, at: 0, depth }
  const found: Block[] = []
  while (cursor.at < lines.length) {
    const line = lines[cursor.at] ?? ''
    if (line.trim() === '') {
      cursor.at++
      continue
    }
    found.push(fence(cursor, line) ?? heading(cursor, line) ?? rule(cursor, line) ?? quote(cursor, line) ?? list(cursor, line) ?? table(cursor, line) ?? paragraph(cursor))
  }
  return found
}

function fence(cursor: Cursor, line: string): Block | null {
  const open = FENCE.exec(line)?.[1]
  if (!open) return null
  const body: string[] = []
  cursor.at++
  while (cursor.at < cursor.lines.length) {
    const next = (cursor.lines[cursor.at++] ?? '')
    const trimmed = next.trim()
    if (trimmed.length >= open.length && trimmed === (open[0] ?? '`').repeat(trimmed.length)) break
    body.push(next)
  }
  return { t: 'code', text: body.join('\n') }
}

function heading(cursor: Cursor, line: string): Block | null {
  const found = HEADING.exec(line)
  if (!found) return null
  cursor.at++
  return { t: 'heading', level: (found[1] ?? '#').length, kids: inline(found[2] ?? '') }
}

function rule(cursor: Cursor, line: string): Block | null {
  if (!RULE.test(line)) return null
  cursor.at++
  return { t: 'rule' }
}

function quote(cursor: Cursor, line: string): Block | null {
  if (!QUOTE.test(line)) return null
  const inner: string[] = []
  for (; cursor.at < cursor.lines.length; cursor.at++) {
    const found = QUOTE.exec(cursor.lines[cursor.at] ?? '')
    if (!found) break
    inner.push(found[1] ?? '')
  }
  return { t: 'quote', kids: blocks(inner, cursor.depth + 1) }
}

function list(cursor: Cursor, line: string): Block | null {
  const first = ITEM.exec(line)
  if (!first) return null
  const marker = first[2] ?? '-'
  const ordered = /\d/.test(marker)
  const items: string[][] = []
  let indent = 0
  for (; cursor.at < cursor.lines.length; cursor.at++) {
    const now = cursor.lines[cursor.at] ?? ''
    const item = ITEM.exec(now)
    const lead = now.length - now.trimStart().length
    const current = items.at(-1)
    if (current && now.trim() !== '' && lead >= indent) {
      current.push(now.slice(indent))
    } else if (item && /\d/.test(item[2] ?? '') === ordered && !RULE.test(now)) {
      indent = (item[1] ?? '').length + (item[2] ?? '').length + 1
      items.push([item[3] ?? ''])
    } else if (now.trim() === '' && current) {
      const next = cursor.lines[cursor.at + 1] ?? ''
      const goesOn = next.trim() !== '' && (next.length - next.trimStart().length >= indent || ITEM.test(next))
      if (!goesOn) break
      current.push('')
    } else if (current && current.at(-1) !== '' && !starts(now)) {
      current.push(now.trim())
    } else break
  }
  return { t: 'list', ordered, start: ordered ? parseInt(marker, 10) : 1, items: items.map((item) => blocks(item, cursor.depth + 1)) }
}

/** Would this line interrupt a paragraph? */
function starts(line: string): boolean {
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line)
}

function table(cursor: Cursor, line: string): Block | null {
  const divider = cursor.lines[cursor.at + 1] ?? ''
  if (!line.includes('|') || !divider.includes('-') || !DIVIDER.test(divider)) return null
  const head = cells(line)
  const align = cells(divider).map(alignOf)
  if (head.length !== align.length) return null
  cursor.at += 2
  const rows: Inline[][][] = []
  for (; cursor.at < cursor.lines.length; cursor.at++) {
    const now = cursor.lines[cursor.at] ?? ''
    if (now.trim() === '' || !now.includes('|')) break
    const row = cells(now)
    rows.push(head.map((_, column) => inline(row[column] ?? '')))
  }
  return { t: 'table', align, head: head.map((cell) => inline(cell)), rows }
}

function cells(line: string): string[] {
  const parts: string[] = []
  let part = ''
  const body = line.trim().replace(/^\|/, '')
  for (let i = 0; i < body.length; i++) {
    if (body[i] === '\\' && body[i + 1] === '|') {
      part += '|'
      i++
    } else if (body[i] === '|') {
      parts.push(part.trim())
      part = ''
    } else part += body[i] ?? ''
  }
  if (part.trim() !== '') parts.push(part.trim())
  return parts.slice(0, MAX_COLUMNS)
}

function alignOf(cell: string): Align {
  const left = cell.startsWith(':')
  const right = cell.endsWith(':')
  return left && right ? 'center' : right ? 'right' : left ? 'left' : null
}

function paragraph(cursor: Cursor): Block {
  const held: string[] = [cursor.lines[cursor.at++] ?? '']
  while (cursor.at < cursor.lines.length) {
    const line = cursor.lines[cursor.at] ?? ''
    if (line.trim() === '' || starts(line)) break
    held.push(line)
    cursor.at++
  }
  return { t: 'paragraph', kids: inline(held.map((one) => one.replace(/^[ \t]+/, '')).join('\n')) }
}

// ---- inside a line ----

const SPECIAL = /[\\`*_~[!<\n]|https?:\/\//g
const PUNCTUATION = /[!-/:-@[-`{-~]/

export function inline(text: string, depth = 0): Inline[] {
  if (depth > MAX_DEPTH) return [{ t: 'text', text }]
  const found: Inline[] = []
  let plain = ''
  let at = 0
  const flush = (): void => {
    if (plain !== '') found.push({ t: 'text', text: plain })
    plain = ''
  }
  while (at < text.length) {
    SPECIAL.lastIndex = at
    const special = SPECIAL.exec(text)
    if (!special) {
      plain += text.slice(at)
      break
    }
    plain += text.slice(at, special.index)
    at = special.index
    const hit = piece(text, at, depth)
    if (hit) {
      if (hit.node.t === 'break') plain = plain.replace(/[ ]+$/, '')
      if (hit.node.t === 'text') plain += hit.node.text
      else {
        flush()
        found.push(hit.node)
      }
      at = hit.end
    } else {
      plain += text[at] ?? ''
      at++
    }
  }
  flush()
  return found
}

interface Hit {
  readonly node: Inline
  readonly end: number
}

function piece(text: string, at: number, depth: number): Hit | null {
  const c = text[at]
  if (c === '\n') return hardBreak(text, at)
  if (c === '\\') return escape(text, at)
  if (c === '`') return codeSpan(text, at)
  if (c === '*' || c === '_' || c === '~') return emphasis(text, at, depth)
  if (c === '!' && text[at + 1] === '[') return image(text, at)
  if (c === '[') return link(text, at, depth)
  if (c === '<') return angleLink(text, at)
  if (c === 'h') return bareLink(text, at)
  return null
}

function hardBreak(text: string, at: number): Hit {
  const hard = text.slice(Math.max(0, at - 2), at) === '  '
  return { node: hard ? { t: 'break' } : { t: 'text', text: '\n' }, end: at + 1 }
}

function escape(text: string, at: number): Hit | null {
  const next = text[at + 1] ?? ''
  if (next === '\n') return { node: { t: 'break' }, end: at + 2 }
  return PUNCTUATION.test(next) ? { node: { t: 'text', text: next }, end: at + 2 } : null
}

function codeSpan(text: string, at: number): Hit {
  let ticks = 1
  while (text[at + ticks] === '`') ticks++
  const mark = '`'.repeat(ticks)
  let close = text.indexOf(mark, at + ticks)
  while (close >= 0 && text[close + ticks] === '`') {
    let after = close
    while (text[after] === '`') after++
    close = text.indexOf(mark, after)
  }
  // Unclosed: take the whole run as text, so that a page of back-ticks is not searched once per tick.
  if (close < 0) return { node: { t: 'text', text: mark }, end: at + ticks }
  return { node: { t: 'code', text: text.slice(at + ticks, close).replace(/\n/g, ' ').replace(/^ (.*\S.*) $/, '$1') }, end: close + ticks }
}

const WORDISH = /[\p{L}\p{N}]/u

function emphasis(text: string, at: number, depth: number): Hit | null {
  const c = text[at] ?? ''
  const double = text[at + 1] === c
  if (c === '~' && !double) return null
  const mark = double ? c + c : c
  const after = text[at + mark.length] ?? ''
  if (after === '' || /\s/.test(after)) return { node: { t: 'text', text: mark }, end: at + mark.length }
  if (c === '_' && WORDISH.test(text[at - 1] ?? '')) return { node: { t: 'text', text: mark }, end: at + mark.length }
  const close = closing(text, at + mark.length, mark)
  if (close < 0) return { node: { t: 'text', text: mark }, end: at + mark.length }
  const kids = inline(text.slice(at + mark.length, close), depth + 1)
  return { node: { t: c === '~' ? 'del' : double ? 'strong' : 'em', kids }, end: close + mark.length }
}

/** How far an emphasis may reach; bounds the work on a page full of asterisks. */
const REACH = 2000

function closing(text: string, from: number, mark: string): number {
  const c = mark[0] ?? ''
  const limit = Math.min(text.length, from + REACH)
  for (let i = from; i < limit; i++) {
    const now = text[i]
    if (now === '\\') i++
    else if (now === '`') i = codeSpan(text, i).end - 1
    else if (now === c) {
      let run = 1
      while (text[i + run] === c) run++
      const before = text[i - 1] ?? ' '
      const after = text[i + run] ?? ''
      const fits = mark.length === 1 ? run !== 2 : run >= 2
      if (fits && i > from && !/\s/.test(before) && !(c === '_' && WORDISH.test(after))) return i + run - mark.length
      i += run - 1
    }
  }
  return -1
}

/** The place of the bracket that closes the one at `at`; -1 when none does within reach. */
function bracket(text: string, at: number): number {
  let open = 0
  const limit = Math.min(text.length, at + REACH)
  for (let i = at; i < limit; i++) {
    const c = text[i]
    if (c === '\\') i++
    else if (c === '[') open++
    else if (c === ']' && --open === 0) return i
  }
  return -1
}

function target(text: string, at: number): { readonly href: string; readonly end: number } | null {
  if (text[at] !== '(') return null
  const found = /^\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+(?:"[^"\n]*"|'[^'\n]*'))?\s*\)/.exec(text.slice(at, at + REACH))
  return found ? { href: found[1] ?? '', end: at + found[0].length } : null
}

function link(text: string, at: number, depth: number): Hit | null {
  const close = bracket(text, at)
  if (close < 0) return null
  const to = target(text, close + 1)
  if (!to) return null
  const kids = inline(text.slice(at + 1, close), depth + 1)
  return { node: { t: 'link', href: to.href, kids }, end: to.end }
}

function image(text: string, at: number): Hit | null {
  const close = bracket(text, at + 1)
  if (close < 0) return null
  const to = target(text, close + 1)
  return to ? { node: { t: 'image', src: to.href, alt: text.slice(at + 2, close) }, end: to.end } : null
}

function angleLink(text: string, at: number): Hit | null {
  const found = /^<(https?:\/\/[^\s<>]{1,2000})>/.exec(text.slice(at, at + REACH + 10))
  const href = found?.[1]
  return found && href ? { node: { t: 'link', href, kids: [{ t: 'text', text: href }] }, end: at + found[0].length } : null
}

function bareLink(text: string, at: number): Hit | null {
  if (WORDISH.test(text[at - 1] ?? '')) return null
  const found = /^https?:\/\/[^\s<>"'`|\\^{}[\]]{1,2000}/.exec(text.slice(at, at + REACH))?.[0].replace(/[.,:;!?)*_~]+$/, '')
  return found && found.length > 8 ? { node: { t: 'link', href: found, kids: [{ t: 'text', text: found }] }, end: at + found.length } : null
}

/** The text alone, for search and for naming. */
export function plainText(nodes: readonly (Inline | Block)[]): string {
  return nodes.map(textOf).join('')
}

function textOf(node: Inline | Block): string {
  switch (node.t) {
    case 'text':
    case 'code':
      return node.text
    case 'image':
      return node.alt
    case 'break':
    case 'rule':
      return '\n'
    case 'list':
      return node.items.map((item) => plainText(item)).join('\n')
    case 'table':
      return [node.head, ...node.rows].map((row) => row.map((cell) => plainText(cell)).join(' ')).join('\n')
    default:
      return plainText(node.kids)
  }
}
