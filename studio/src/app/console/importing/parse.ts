// Files that a customer drops, as tasks. Pure: text in, lines out, with what is wrong and where.
import type { Medium } from '../../../model/types'

export type TaskLine = { line: number; task: Record<string, unknown> }
export type BadLine = { line: number; detail: string }
export type Parsed = { tasks: TaskLine[]; bad: BadLine[] }

/** One JSON object a line. `{"data": {...}}` is taken as it is; a bare object with url, text or conversation is wrapped. */
export function parseJsonl(text: string): Parsed {
  const out: Parsed = { tasks: [], bad: [] }
  text.split(/\r?\n/).forEach((raw, at) => {
    const line = at + 1
    if (!raw.trim()) return
    try {
      const value: unknown = JSON.parse(raw)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) out.bad.push({ line, detail: 'not an object' })
      else add(out, line, value as Record<string, unknown>)
    } catch (error) {
      out.bad.push({ line, detail: error instanceof Error ? error.message : String(error) })
    }
  })
  return out
}

const inputs = ['image_url', 'asset', 'text', 'conversation']
const known = ['batch', 'name', 'unique_id', 'priority', 'tags', 'metadata', 'ontology', 'callback_url']

function add(out: Parsed, line: number, row: Record<string, unknown>): void {
  if (typeof row['data'] === 'object' && row['data'] !== null) {
    out.tasks.push({ line, task: row })
    return
  }
  const data: Record<string, unknown> = {}
  const task: Record<string, unknown> = { data }
  const metadata: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(row)) {
    const name = key === 'url' || key === 'image' ? 'image_url' : key
    if (inputs.includes(name) || name === 'prelabels' || name === 'context') data[name] = value
    else if (known.includes(name)) task[name] = value
    else metadata[key] = value
  }
  if (!inputs.some((name) => data[name])) {
    out.bad.push({ line, detail: `needs one of ${inputs.join(', ')}` })
    return
  }
  if (Object.keys(metadata).length) task['metadata'] = { ...(task['metadata'] as object | undefined), ...metadata }
  out.tasks.push({ line, task })
}

/** RFC 4180 with the field names in the first line. Lines are those of the file, also when a field holds line breaks. */
export function parseCsv(text: string): Parsed {
  const out: Parsed = { tasks: [], bad: [] }
  const rows = csvRows(text)
  const head = rows.shift()
  if (!head) return out
  const names = head.cells.map((cell) => cell.trim().toLowerCase())
  for (const { line, cells } of rows) {
    if (cells.length === 1 && !cells[0]?.trim()) continue
    if (cells.length > names.length) {
      out.bad.push({ line, detail: `${cells.length} fields, ${names.length} names` })
      continue
    }
    const row: Record<string, unknown> = {}
    names.forEach((name, at) => {
      const cell = cells[at]
      if (cell === undefined || cell === '') return
      row[name] = name === 'tags' ? cell.split(/[;|]/).map((tag) => tag.trim()) : name === 'priority' ? Number(cell) : cell
    })
    add(out, line, row)
  }
  return out
}

export function csvRows(text: string): { line: number; cells: string[] }[] {
  const rows: { line: number; cells: string[] }[] = []
  const source = text.replace(/^\uFEFF/, '')
  const separator = guessSeparator(source)
  let cells: string[] = []
  let cell = ''
  let quoted = false
  let line = 1
  let start = 1
  const endRow = () => {
    cells.push(cell)
    rows.push({ line: start, cells })
    cells = []
    cell = ''
    start = line
  }
  for (let at = 0; at < source.length; at += 1) {
    const letter = source[at] as string
    if (letter === '\n') line += 1
    if (quoted) {
      if (letter === '"' && source[at + 1] === '"') {
        cell += '"'
        at += 1
      } else if (letter === '"') quoted = false
      else cell += letter
    } else if (letter === '"' && cell === '') quoted = true
    else if (letter === separator) {
      cells.push(cell)
      cell = ''
    } else if (letter === '\n') endRow()
    else if (letter !== '\r') cell += letter
  }
  if (cell !== '' || cells.length) endRow()
  return rows
}

function guessSeparator(text: string): string {
  const first = text.slice(0, text.indexOf('\n') < 0 ? undefined : text.indexOf('\n'))
  const count = (mark: string) => first.split(mark).length
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best))
}

/** A plain text file is one task for a text project. */
export function kindOf(file: { name: string; type: string }): 'image' | 'jsonl' | 'json' | 'csv' | 'text' | null {
  const ending = file.name.toLowerCase().split('.').at(-1) ?? ''
  if (['jsonl', 'ndjson'].includes(ending)) return 'jsonl'
  if (ending === 'json') return 'json'
  if (['csv', 'tsv'].includes(ending)) return 'csv'
  if (ending === 'txt' || ending === 'md') return 'text'
  if (/^image\/(png|jpeg|webp|gif|bmp|tiff)$/.test(file.type) || ['png', 'jpg', 'jpeg', 'webp', 'gif', 'bmp', 'tif', 'tiff'].includes(ending)) return 'image'
  return null
}

export function parseJson(text: string): Parsed {
  const out: Parsed = { tasks: [], bad: [] }
  try {
    const value: unknown = JSON.parse(text)
    const list = Array.isArray(value) ? value : [value]
    list.forEach((row: unknown, at) => {
      if (typeof row === 'object' && row !== null && !Array.isArray(row)) add(out, at + 1, row as Record<string, unknown>)
      else out.bad.push({ line: at + 1, detail: 'not an object' })
    })
  } catch (error) {
    out.bad.push({ line: 1, detail: error instanceof Error ? error.message : String(error) })
  }
  return out
}

/** The file as its owner would want it typed in: what a project of this medium needs. */
export function exampleFor(medium: Medium): string {
  switch (medium) {
    case 'image':
      return '{"image_url": "https://example.com/1.jpg", "name": "street 1", "unique_id": "s-1"}\n{"image_url": "https://example.com/2.jpg"}'
    case 'conversation':
      return '{"conversation": {"messages": [{"role": "user", "text": "Why is the sky blue?"}], "answers": [{"id": "a", "text": "Because..."}, {"id": "b", "text": "It is..."}]}}'
    default:
      return '{"text": "The train to Bern was late again.", "unique_id": "t-1"}\n{"text": "Thank you for the quick help."}'
  }
}
