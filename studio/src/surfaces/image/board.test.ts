import { describe, expect, test, vi } from 'vitest'
import { store } from '../../kernel/history'
import { NO_MODS, type PointerNews } from '../../kernel/tool'
import type { Annotation, BoxAnnotation } from '../../model/types'
import { Board } from './board'
import { classify, copy, duplicate, emptyClipboard, nudge, paste, remove, selectAll, selectNext, setAngle, setAttribute, setSize } from './commands'
import { type KeyHost, pressKey } from './keys'
import { rowsOf } from './rows'
import { boxAt, ontology } from './tools/testing'

function boardOf(...annotations: Annotation[]): Board {
  let count = 0
  return new Board({ annotations, ontology, size: { w: 1000, h: 800 }, newId: () => `n${++count}`, now_ms: () => 0 })
}

const pointer = (type: PointerNews['type'], x: number, y: number): PointerNews => ({ type, at: { x, y }, mods: NO_MODS, by: 'mouse', clicks: 1 })

function draw(board: Board, x: number, y: number, w = 50, h = 40): void {
  board.setTool('box')
  board.send(pointer('down', x, y))
  board.send(pointer('move', x + w, y + h))
  board.send(pointer('up', x + w, y + h))
}

function hostOf(board: Board): KeyHost {
  return {
    board,
    clipboard: emptyClipboard(),
    cursorInUse: () => false,
    moveCursor: vi.fn(),
    placeAtCursor: vi.fn(),
    fit: vi.fn(),
    zoomBy: vi.fn(),
    zoomTo: vi.fn(),
    reveal: vi.fn(),
    chooseClass: vi.fn(),
    holdSpace: vi.fn(),
  }
}

const press = (host: KeyHost, key: string, mods: Partial<typeof NO_MODS> = {}): boolean => pressKey({ key, mods: { ...NO_MODS, ...mods }, repeat: false }, host)

describe('naming', () => {
  test('draw first, name after: asks, and both are one step back', () => {
    const board = boardOf()
    const asked = vi.fn()
    board.events.on('needsClass', asked)
    draw(board, 100, 100)
    expect(asked).toHaveBeenCalledWith(['n1'])
    classify(board, ['n1'], 'person')
    expect(board.scene.one()).toMatchObject({ class: 'person' })
    expect(board.history.done).toHaveLength(1)
    board.undo()
    expect(board.scene.size).toBe(0)
    board.redo()
    expect(board.scene.one()).toMatchObject({ class: 'person' })
  })

  test('name first, draw many: asks nothing', () => {
    const board = boardOf()
    const asked = vi.fn()
    board.events.on('needsClass', asked)
    board.arm('car')
    draw(board, 100, 100)
    draw(board, 300, 300)
    expect(board.scene.items().map((a) => (a as BoxAnnotation).class)).toEqual(['car', 'car'])
    expect(asked).not.toHaveBeenCalled()
  })

  test('a class of another kind is not given', () => {
    const board = boardOf({ id: 'l', kind: 'line', class: 'car', points: [[0, 0], [9, 9]] })
    classify(board, ['l'], 'person')
    expect(board.scene.one()).toMatchObject({ class: 'car' })
    expect(board.history.done).toHaveLength(0)
  })

  test('the armed class that cannot be drawn with this tool changes the tool', () => {
    const board = boardOf()
    board.setTool('polygon')
    board.arm('person')
    expect(board.tool).toBe('box')
  })
})

describe('commands', () => {
  test('delete and undo keep places; the next shape is selected', () => {
    const board = boardOf(boxAt('a', 0, 0), boxAt('b', 50, 0), boxAt('c', 100, 0))
    board.select(['b'])
    remove(board)
    expect(board.scene.order).toEqual(['a', 'c'])
    expect([...board.selection]).toEqual(['c'])
    board.undo()
    expect(board.scene.order).toEqual(['a', 'b', 'c'])
    expect([...board.selection]).toEqual(['b'])
  })

  test('copies step aside and stay in the picture; another board gets them in place', () => {
    const board = boardOf(boxAt('a', 100, 100), boxAt('edge', 960, 770))
    const clipboard = emptyClipboard()
    board.select(['a'])
    copy(board, clipboard)
    paste(board, clipboard)
    paste(board, clipboard)
    expect(board.scene.get('n1')).toMatchObject({ x: 112, y: 112 })
    expect(board.scene.get('n2')).toMatchObject({ x: 124, y: 124 })
    board.select(['edge'])
    duplicate(board)
    expect(board.scene.get('n3')).toMatchObject({ x: 960, y: 770 })
    const other = boardOf()
    paste(other, clipboard)
    expect(other.scene.one()).toMatchObject({ x: 100, y: 100, class: 'car' })
  })

  test('nudges are one step; they stop at the border', () => {
    const board = boardOf(boxAt('a', 3, 3))
    board.select(['a'])
    for (let i = 0; i < 5; i++) nudge(board, -1, 0)
    expect(board.scene.one()).toMatchObject({ x: 0 })
    board.undo()
    expect(board.scene.one()).toMatchObject({ x: 3 })
  })

  test('size and angle by number', () => {
    const board = boardOf(boxAt('a', 10, 10))
    expect(setSize(board, ['a'], { w: 123.456 })).toBe(true)
    expect(board.scene.one()).toMatchObject({ x: 10, w: 123.46, h: 30 })
    expect(setSize(board, ['a'], { w: 0 })).toBe(false)
    expect(setSize(board, ['a'], { h: NaN })).toBe(false)
    setAngle(board, ['a'], Math.PI / 6)
    expect((board.scene.one() as BoxAnnotation).angle_rad).toBeCloseTo(Math.PI / 6)
    setAngle(board, ['a'], 0)
    expect(board.scene.one()).not.toHaveProperty('angle_rad')
  })

  test('attributes come and go', () => {
    const board = boardOf(boxAt('a', 10, 10))
    setAttribute(board, ['a'], 'occluded', true)
    expect(board.scene.one()).toMatchObject({ attributes: { occluded: true } })
    setAttribute(board, ['a'], 'unknown', 'x')
    setAttribute(board, ['a'], 'occluded', undefined)
    expect(board.scene.one()).not.toHaveProperty('attributes')
  })

  test('all, next, and round the ends', () => {
    const board = boardOf(boxAt('a', 0, 0), boxAt('b', 50, 0))
    selectAll(board)
    expect(board.selection.size).toBe(2)
    board.select(['b'])
    selectNext(board, 1)
    expect([...board.selection]).toEqual(['a'])
    selectNext(board, -1)
    expect([...board.selection]).toEqual(['b'])
  })

  test('who only reads changes nothing', () => {
    const board = boardOf(boxAt('a', 0, 0))
    board.readOnly = true
    board.select(['a'])
    remove(board)
    nudge(board, 5, 5)
    duplicate(board)
    expect(board.scene.one()).toEqual(boxAt('a', 0, 0))
    expect(board.undo()).toBe(false)
  })

  test('answers to questions share the history', () => {
    const board = boardOf(boxAt('a', 0, 0))
    board.perform([{ op: 'add', item: { id: 'f', kind: 'choice', field: 'weather', values: ['rain'] }, at: 1 }], 'field')
    selectAll(board)
    expect([...board.selection]).toEqual(['a'])
    board.undo()
    expect(board.scene.size).toBe(1)
  })

  test('a board opened again undoes what the first one did', () => {
    const board = boardOf()
    draw(board, 100, 100)
    nudge(board, 4, 0)
    const again = new Board({ annotations: board.scene.items(), ontology, size: board.size, history: { done: store(board.history), undone: [] } })
    again.undo()
    again.undo()
    expect(again.scene.size).toBe(0)
  })
})

describe('keys', () => {
  test('Escape gets out, step by step', () => {
    const board = boardOf(boxAt('a', 0, 0))
    const host = hostOf(board)
    board.select(['a'])
    board.setTool('polygon')
    board.send(pointer('down', 50, 50))
    board.send(pointer('up', 50, 50))
    expect(board.busy).toBe(true)
    press(host, 'Escape')
    expect(board.busy).toBe(false)
    board.select(['a'])
    press(host, 'Escape')
    expect(board.selection.size).toBe(0)
    press(host, 'Escape')
    expect(board.tool).toBe('select')
    expect(press(host, 'Escape')).toBe(false)
  })

  test('one key a tool; digits and hotkeys name or arm', () => {
    const board = boardOf(boxAt('a', 0, 0))
    const host = hostOf(board)
    for (const [key, tool] of [['b', 'box'], ['p', 'polygon'], ['l', 'line'], ['o', 'point'], ['h', 'pan'], ['v', 'select']] as const) {
      press(host, key)
      expect(board.tool).toBe(tool)
    }
    board.select(['a'])
    press(host, '2')
    expect(board.scene.one()).toMatchObject({ class: 'person' })
    press(host, 'c')
    expect(board.scene.one()).toMatchObject({ class: 'car' })
    board.select([])
    press(host, '2')
    expect(board.activeClass).toBe('person')
    expect(board.tool).toBe('box')
    expect(press(host, '9')).toBe(false)
  })

  test('arrows nudge by 1 and 10; with a tool in hand they move the cursor', () => {
    const board = boardOf(boxAt('a', 100, 100))
    const host = hostOf(board)
    board.select(['a'])
    press(host, 'ArrowRight')
    press(host, 'ArrowDown', { shift: true })
    expect(board.scene.one()).toMatchObject({ x: 101, y: 110 })
    press(host, 'b')
    press(host, 'ArrowLeft', { shift: true })
    expect(host.moveCursor).toHaveBeenCalledWith(-10, 0)
  })

  test('undo while drawing takes back a point, not a shape', () => {
    const board = boardOf()
    const host = hostOf(board)
    draw(board, 100, 100)
    board.setTool('line')
    for (const x of [10, 60]) {
      board.send(pointer('down', x, 300))
      board.send(pointer('up', x, 300))
    }
    press(host, 'z', { ctrl: true })
    expect(board.preview.path?.points).toHaveLength(1)
    press(host, 'z', { ctrl: true })
    press(host, 'z', { ctrl: true })
    expect(board.scene.size).toBe(0)
    press(host, 'Z', { ctrl: true, shift: true })
    expect(board.scene.size).toBe(1)
  })
})

describe('rows', () => {
  const options = { filter: '', folded: new Set<string>(), unnamed: 'No class yet', kindWord: (kind: string) => kind }

  test('unnamed first, then classes as the ontology has them; folded groups hide their shapes', () => {
    const board = boardOf(boxAt('a', 0, 0), { ...boxAt('b', 0, 0), class: 'person' }, { ...boxAt('c', 0, 0), class: '' })
    const titles = (o: Partial<typeof options>) => rowsOf(board.scene, ontology, { ...options, ...o }).map((r) => (r.type === 'group' ? r.title : r.shape.id))
    expect(titles({})).toEqual(['No class yet', 'c', 'car', 'a', 'person', 'b'])
    expect(titles({ folded: new Set(['car']) })).toEqual(['No class yet', 'c', 'car', 'person', 'b'])
    expect(titles({ filter: 'pers' })).toEqual(['person', 'b'])
    expect(titles({ filter: 'nothing' })).toEqual([])
  })

  test('10,000 shapes in a moment', () => {
    const board = boardOf(...Array.from({ length: 10_000 }, (_, i) => boxAt(`a${i}`, i % 900, i % 700)))
    const began = performance.now()
    expect(rowsOf(board.scene, ontology, options)).toHaveLength(10_001)
    expect(performance.now() - began).toBeLessThan(300)
  })
})
