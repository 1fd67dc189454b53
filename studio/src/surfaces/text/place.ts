/**
 * Between offsets and DOM positions. Each row carries `data-r` (its first UTF-16 unit) and each piece of text `data-s`; what carries
 * neither (label names, grips) is not text and never counts.
 */
export interface DomPlace {
  readonly node: Node
  readonly offset: number
}

const numberOf = (element: Element, name: 'r' | 's' | 'c'): number => Number(element.getAttribute(`data-${name}`))

/** UTF-16 offset of a DOM position inside `root`; null when it lies outside. */
export function unitsAt(root: Element, node: Node, offset: number): number | null {
  if (!root.contains(node)) return null
  const element = node instanceof Element ? node : node.parentElement
  if (!element) return null
  const piece = element.closest('[data-s]')
  if (piece && root.contains(piece)) {
    const start = numberOf(piece, 's')
    if (node.nodeType === Node.TEXT_NODE) return start + offset
    return offset === 0 ? start : start + (piece.textContent?.length ?? 0)
  }
  const row = element.closest('[data-r]')
  if (row && root.contains(row)) return withinRow(row, node, offset)
  return betweenRows(root, node, offset)
}

function rowEnd(row: Element): number {
  return numberOf(row, 'r') + (row.textContent?.length ?? 0)
}

function withinRow(row: Element, node: Node, offset: number): number {
  // A position beside pieces, or in something that is not text: the next piece starts there, or the row ends.
  let after: Element | null = null
  if (node === row) after = row.children[offset] ?? null
  else for (let at: Node | null = node; at && at !== row; at = at.parentNode) if (at.parentNode === row) after = at as Element
  while (after && !after.hasAttribute('data-s')) after = after.nextElementSibling
  return after ? numberOf(after, 's') : rowEnd(row)
}

function betweenRows(root: Element, node: Node, offset: number): number | null {
  const rows = [...root.querySelectorAll('[data-r]')]
  if (rows.length === 0) return null
  const before = node.childNodes[offset] ?? null
  for (const row of rows) {
    const follows = before ? before === row || before.contains(row) || (before.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0 : false
    if (follows) return numberOf(row, 'r')
  }
  const last = rows.at(-1)
  return last ? rowEnd(last) : null
}

/** DOM position of a UTF-16 offset. `chunk` is the index of the chunk that holds it, so that only its rows are searched. */
export function domAt(root: Element, unit: number, chunk?: number): DomPlace | null {
  const scope = chunk === undefined ? root : (root.querySelector(`[data-c="${chunk}"]`) ?? root)
  const rows = scope.querySelectorAll('[data-r]')
  let found: Element | null = null
  for (const row of rows) {
    if (numberOf(row, 'r') > unit) break
    found = row
  }
  if (!found) return null
  let piece: Element | null = null
  for (const one of found.querySelectorAll('[data-s]')) {
    if (piece && numberOf(one, 's') >= unit) break
    piece = one
  }
  const text = piece?.firstChild
  if (!piece || !text) return { node: found, offset: 0 }
  return { node: text, offset: Math.max(0, Math.min(unit - numberOf(piece, 's'), text.textContent?.length ?? 0)) }
}

interface CaretDocument {
  caretPositionFromPoint?(x: number, y: number): { offsetNode: Node; offset: number } | null
  caretRangeFromPoint?(x: number, y: number): Range | null
}

/** UTF-16 offset under a point of the window. */
export function unitsFromPoint(root: Element, x: number, y: number): number | null {
  const page = root.ownerDocument as unknown as CaretDocument
  const position = page.caretPositionFromPoint?.(x, y)
  if (position) return unitsAt(root, position.offsetNode, position.offset)
  const range = page.caretRangeFromPoint?.(x, y)
  return range ? unitsAt(root, range.startContainer, range.startOffset) : null
}

/** Where a caret at that offset would be drawn, in window coordinates. */
export function caretRect(root: Element, unit: number, chunk?: number): DOMRect | null {
  const place = domAt(root, unit, chunk)
  if (!place) return null
  if (place.node.nodeType !== Node.TEXT_NODE) {
    const box = (place.node as Element).getBoundingClientRect()
    return new DOMRect(box.left, box.top, 0, box.height)
  }
  const range = root.ownerDocument.createRange()
  range.setStart(place.node, place.offset)
  range.collapse(true)
  const own = range.getClientRects()[0]
  if (own && own.height > 0) return own
  // A collapsed range at an edge has no box in some engines: take the side of the neighbour.
  const length = place.node.textContent?.length ?? 0
  range.setStart(place.node, Math.max(0, place.offset - 1))
  range.setEnd(place.node, Math.min(length, place.offset + (place.offset === 0 ? 1 : 0)))
  const box = range.getBoundingClientRect()
  return new DOMRect(place.offset === 0 ? box.left : box.right, box.top, 0, box.height)
}
