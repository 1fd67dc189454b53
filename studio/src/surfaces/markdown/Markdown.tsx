/** Markdown as React elements. Text is always a text node: there is no way from here to innerHTML. */
import { Fragment, createElement, memo, type ReactNode } from 'react'
import { parseMarkdown, type Block, type Inline } from './parse'
import { safeImage, safeLink } from './safe'
import './Markdown.css'

export interface MarkdownProps {
  readonly source: string
  /** The level that "#" becomes: headings fit into the page around them. */
  readonly top?: 2 | 3 | 4
  /** Marked where it occurs. */
  readonly find?: string
}

export const Markdown = memo(function Markdown({ source, top = 3, find = '' }: MarkdownProps) {
  return <div className="eh-md">{parseMarkdown(source).map((block, i) => <Fragment key={i}>{showBlock(block, top, find)}</Fragment>)}</div>
})

function showBlock(block: Block, top: number, find: string): ReactNode {
  const kids = (blocks: readonly Block[]): ReactNode => blocks.map((one, i) => <Fragment key={i}>{showBlock(one, top, find)}</Fragment>)
  switch (block.t) {
    case 'heading':
      return createElement(`h${Math.min(6, top + block.level - 1)}`, { dir: 'auto' }, showAll(block.kids, find))
    case 'paragraph':
      return <p dir="auto">{showAll(block.kids, find)}</p>
    case 'code':
      return (
        <pre tabIndex={0}>
          <code>{marked(block.text, find)}</code>
        </pre>
      )
    case 'quote':
      return <blockquote>{kids(block.kids)}</blockquote>
    case 'rule':
      return <hr />
    case 'list':
      return createElement(
        block.ordered ? 'ol' : 'ul',
        block.ordered && block.start !== 1 ? { start: block.start } : {},
        block.items.map((item, i) => <li key={i}>{item.length === 1 && item[0]?.t === 'paragraph' ? showAll(item[0].kids, find) : kids(item)}</li>),
      )
    case 'table':
      return showTable(block, find)
  }
}

function showTable(block: Extract<Block, { t: 'table' }>, find: string): ReactNode {
  const style = (column: number): { textAlign: 'left' | 'right' | 'center' } | undefined => {
    const align = block.align[column]
    return align ? { textAlign: align } : undefined
  }
  return (
    <div className="eh-md-table" tabIndex={0} role="region" aria-label={block.head.length ? undefined : 'table'}>
      <table>
        <thead>
          <tr>
            {block.head.map((cell, i) => (
              <th key={i} scope="col" style={style(i)}>
                {showAll(cell, find)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row, r) => (
            <tr key={r}>
              {row.map((cell, i) => (
                <td key={i} style={style(i)}>
                  {showAll(cell, find)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function showAll(nodes: readonly Inline[], find: string): ReactNode {
  return nodes.map((node, i) => <Fragment key={i}>{showInline(node, find)}</Fragment>)
}

function showInline(node: Inline, find: string): ReactNode {
  switch (node.t) {
    case 'text':
      return marked(node.text, find)
    case 'code':
      return <code>{marked(node.text, find)}</code>
    case 'strong':
    case 'em':
    case 'del':
      return createElement(node.t, null, showAll(node.kids, find))
    case 'break':
      return <br />
    case 'link': {
      const href = safeLink(node.href)
      if (!href) return showAll(node.kids, find)
      return (
        <a href={href} target="_blank" rel="noopener noreferrer nofollow">
          {showAll(node.kids, find)}
        </a>
      )
    }
    case 'image': {
      const src = safeImage(node.src)
      return src ? <img src={src} alt={node.alt} loading="lazy" decoding="async" /> : <span className="eh-md-noimage">{node.alt || node.src}</span>
    }
  }
}

function marked(text: string, find: string): ReactNode {
  if (find.trim() === '') return text
  const parts: ReactNode[] = []
  const low = text.toLowerCase()
  const needle = find.toLowerCase()
  // Lower case may change the length of a text ("İ"); then marking would slip, and is left out.
  if (low.length !== text.length) return text
  let from = 0
  for (let at = low.indexOf(needle); at >= 0; at = low.indexOf(needle, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + needle.length)}</mark>)
    from = at + needle.length
  }
  parts.push(text.slice(from))
  return parts
}
