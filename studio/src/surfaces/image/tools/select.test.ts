import { describe, expect, test } from 'vitest'
import { cancel, click, down, key, move, up } from '../../../kernel/play'
import type { PolygonAnnotation } from '../../../model/types'
import { selectTool } from './select'
import { boxAt, play, sceneOf } from './testing'

const a = boxAt('a', 100, 100)
const b = boxAt('b', 300, 100)
const scene = sceneOf(a, b)
const polygon: PolygonAnnotation = { id: 'p', kind: 'polygon', class: 'car', points: [[400, 400], [500, 400], [500, 500], [400, 500]] }

describe('choosing', () => {
  test('a click selects, a click on nothing lets go', () => {
    expect([...play(selectTool, click(110, 110), { scene }).selection]).toEqual(['a'])
    expect(play(selectTool, [click(110, 110), click(600, 600)], { scene }).selection.size).toBe(0)
  })

  test('Shift adds and takes away', () => {
    const both = play(selectTool, [click(110, 110), click(310, 110, { shift: true })], { scene })
    expect([...both.selection]).toEqual(['a', 'b'])
    const one = play(selectTool, [click(110, 110, { shift: true })], { scene, selection: new Set(['a', 'b']) })
    expect([...one.selection]).toEqual(['b'])
  })

  test('the smallest under the pointer wins; another click goes on to the one below', () => {
    const stack = sceneOf(boxAt('small', 110, 110, 10, 10), boxAt('large', 0, 0, 500, 500))
    expect([...play(selectTool, click(115, 115), { scene: stack }).selection]).toEqual(['small'])
    expect([...play(selectTool, [click(115, 115), click(115, 115)], { scene: stack }).selection]).toEqual(['large'])
    expect([...play(selectTool, [click(115, 115), click(115, 115), click(115, 115)], { scene: stack }).selection]).toEqual(['small'])
  })

  test('a marquee takes what it touches; Escape brings the old selection back', () => {
    const drag = [down(50, 50), move(200, 200), move(320, 120)]
    expect([...play(selectTool, [...drag, up()], { scene }).selection].sort()).toEqual(['a', 'b'])
    const off = play(selectTool, [down(50, 50, { shift: true }), move(200, 200, { shift: true }), cancel()], { scene, selection: new Set(['b']) })
    expect([...off.selection]).toEqual(['b'])
    expect(off.edits).toEqual([])
  })

  test('hidden classes are not hit', () => {
    expect(play(selectTool, click(110, 110), { scene, visible: (one) => one.id !== 'a' }).selection.size).toBe(0)
  })
})

describe('moving', () => {
  test('a drag moves, in one edit, and selects', () => {
    const done = play(selectTool, [down(110, 110), move(130, 115), move(140, 170), up()], { scene })
    expect(done.scene.get('a')).toMatchObject({ x: 130, y: 160, w: 40, h: 30 })
    expect(done.marks).toEqual(['move'])
    expect([...done.selection]).toEqual(['a'])
  })

  test('a hand that trembles does not move', () => {
    const done = play(selectTool, [down(110, 110), move(111, 111), up()], { scene })
    expect(done.edits).toEqual([])
  })

  test('all that is selected moves; nothing leaves the picture', () => {
    const done = play(selectTool, [down(110, 110), move(50, 50), move(-400, 110), up()], { scene, selection: new Set(['a', 'b']) })
    expect(done.scene.get('a')).toMatchObject({ x: 0 })
    expect(done.scene.get('b')).toMatchObject({ x: 200 })
  })

  test('edges pull within six pixels, Alt lets go', () => {
    const to = (mods: object) => play(selectTool, [down(110, 110), move(200, 113, mods), move(267, 113, mods), up()], { scene }).scene.get('a')
    expect(to({})).toMatchObject({ x: 260, y: 100 })
    expect(to({ alt: true })).toMatchObject({ x: 257, y: 103 })
  })

  test('Escape on the way leaves no trace', () => {
    const done = play(selectTool, [down(110, 110), move(300, 300), cancel(), up()], { scene })
    expect(done.edits).toEqual([])
    expect(done.last.preview).toBeUndefined()
  })

  test('who only reads moves nothing', () => {
    expect(play(selectTool, [down(110, 110), move(300, 300), up()], { scene, readOnly: true }).edits).toEqual([])
  })
})

describe('handles', () => {
  const selection = new Set(['a'])
  const alt = { alt: true }

  test('a corner is pulled from where it was taken, not from where it is shown', () => {
    // the box is small on screen: the handle stands 9 pixels outside
    const done = play(selectTool, [down(149, 139), move(169, 149, alt), up()], { scene, selection })
    expect(done.scene.get('a')).toMatchObject({ x: 100, y: 100, w: 60, h: 40 })
    expect(done.marks).toEqual(['resize'])
  })

  test('Shift keeps the ratio', () => {
    const done = play(selectTool, [down(149, 139), move(189, 140, { shift: true, alt: true }), up()], { scene, selection })
    expect(done.scene.get('a')).toMatchObject({ w: 80, h: 60 })
  })

  test('pulled past the other side, the box turns over and keeps its place', () => {
    const done = play(selectTool, [down(149, 139), move(69, 139, alt), up()], { scene, selection })
    expect(done.scene.get('a')).toMatchObject({ x: 60, w: 40, y: 100, h: 30 })
  })

  test('the knob is there on demand only, and Shift turns in steps of 15 degrees', () => {
    const up90 = [down(120, 72), move(200, 118, { shift: true }), up()]
    const done = play(selectTool, up90, { scene, selection, turning: true })
    expect(done.marks).toEqual(['rotate'])
    expect((done.scene.get('a') as { angle_rad?: number }).angle_rad).toBeCloseTo(Math.PI / 2)
    expect(play(selectTool, up90, { scene, selection }).marks).toEqual([])
  })
})

describe('vertices', () => {
  const with_ = { scene: sceneOf(polygon), selection: new Set(['p']) }
  const points = (done: { scene: { get(id: string): unknown } }) => (done.scene.get('p') as PolygonAnnotation).points

  test('a vertex moves', () => {
    const done = play(selectTool, [down(500, 400), move(550, 380, { alt: true }), up()], with_)
    expect(points(done)[1]).toEqual([550, 380])
    expect(done.marks).toEqual(['vertex'])
  })

  test('a press on the outline inserts one, in one edit with its move', () => {
    const done = play(selectTool, [down(450, 400), move(450, 350, { alt: true }), up()], with_)
    expect(points(done)).toEqual([[400, 400], [450, 350], [500, 400], [500, 500], [400, 500]])
    expect(done.marks).toEqual(['insert'])
    expect(done.edits).toHaveLength(1)
  })

  test('Alt-click, double click and Delete take one away, down to three', () => {
    expect(points(play(selectTool, click(500, 400, { alt: true }), with_))).toHaveLength(3)
    expect(points(play(selectTool, [down(500, 400, {}, 2), up()], with_))).toHaveLength(3)
    expect(points(play(selectTool, [key('Delete')], { ...with_, vertex: 1 }))).toHaveLength(3)
    const triangle = sceneOf({ ...polygon, points: polygon.points.slice(0, 3) })
    expect(points(play(selectTool, click(500, 400, { alt: true }), { ...with_, scene: triangle }))).toHaveLength(3)
  })

  test('Delete with no vertex chosen is left to the surface', () => {
    expect(play(selectTool, [key('Delete')], with_).last.used).toBe(false)
  })
})
