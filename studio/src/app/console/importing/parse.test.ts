import { describe, expect, it } from 'vitest'
import { csvRows, kindOf, parseCsv, parseJson, parseJsonl } from './parse'

describe('parseJsonl', () => {
  it('wraps bare rows, keeps whole tasks, names bad lines', () => {
    const { tasks, bad } = parseJsonl('{"url":"https://e.org/1.jpg","camera":7}\n\n{"data":{"text":"x"},"name":"n"}\nnonsense\n{"name":"no data"}\n[1]\n')
    expect(tasks).toEqual([
      { line: 1, task: { data: { image_url: 'https://e.org/1.jpg' }, metadata: { camera: 7 } } },
      { line: 3, task: { data: { text: 'x' }, name: 'n' } },
    ])
    expect(bad.map((item) => item.line)).toEqual([4, 5, 6])
  })
})

describe('parseCsv', () => {
  it('reads quotes, line breaks in fields, and counts lines of the file', () => {
    const { tasks, bad } = parseCsv('text,tags,unique_id\r\n"a ""b""\nc",x;y,1\r\nplain,,2\r\n,,3\r\na,b,c,d\r\n')
    expect(tasks).toEqual([
      { line: 2, task: { data: { text: 'a "b"\nc' }, tags: ['x', 'y'], unique_id: '1' } },
      { line: 4, task: { data: { text: 'plain' }, unique_id: '2' } },
    ])
    expect(bad.map((item) => item.line)).toEqual([5, 6])
  })
  it('takes semicolons and a byte order mark', () => {
    expect(csvRows('\uFEFFtext;name\nhallo, du;n')).toEqual([
      { line: 1, cells: ['text', 'name'] },
      { line: 2, cells: ['hallo, du', 'n'] },
    ])
  })
})

it('reads a JSON list', () => {
  expect(parseJson('[{"text":"a"},3]')).toEqual({ tasks: [{ line: 1, task: { data: { text: 'a' } } }], bad: [{ line: 2, detail: 'not an object' }] })
})

it('knows files by name and type', () => {
  expect(kindOf({ name: 'a.JPG', type: '' })).toBe('image')
  expect(kindOf({ name: 'a.svg', type: 'image/svg+xml' })).toBeNull()
  expect(kindOf({ name: 'a.ndjson', type: '' })).toBe('jsonl')
})
