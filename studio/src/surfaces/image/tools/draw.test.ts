import { describe, expect, test } from 'vitest'
import { cancel, click, down, key, move, up } from '../../../kernel/play'
import type { LineAnnotation, PolygonAnnotation } from '../../../model/types'
import { boxTool, lineTool, pointTool, polygonTool } from './draw'
import { boxAt, ontology, play, sceneOf } from './testing'

describe('box', () => {
  test('press, drag, let go', () => {
    const done = play(boxTool, [down(10, 10), move(50, 40), up()])
    expect(done.scene.one()).toMatchObject({ kind: 'box', x: 10, y: 10, w: 40, h: 30 })
    expect([...done.selection]).toEqual(['n1'])
    expect(done.marks).toEqual(['box'])
  })

  test('the same in any direction, and by two clicks', () => {
    expect(play(boxTool, [down(50, 40), move(10, 10), up()]).scene.one()).toMatchObject({ x: 10, y: 10, w: 40, h: 30 })
    expect(play(boxTool, [click(10, 10), click(50, 40)]).scene.one()).toMatchObject({ x: 10, y: 10, w: 40, h: 30 })
  })

  test('stays in the picture; Shift makes a square; Escape makes nothing', () => {
    expect(play(boxTool, [down(900, 700), move(1500, 1500), up()]).scene.one()).toMatchObject({ w: 100, h: 100 })
    expect(play(boxTool, [down(10, 10, { alt: true }), move(50, 40, { shift: true, alt: true }), up(50, 40, { shift: true, alt: true })]).scene.one()).toMatchObject({ w: 40, h: 40 })
    expect(play(boxTool, [down(10, 10), move(50, 40), cancel()]).scene.size).toBe(0)
  })

  test('snaps to neighbours and to the border, not with Alt', () => {
    const scene = sceneOf(boxAt('a', 100, 100))
    const at = (mods: object) => play(boxTool, [down(143, 102, mods), move(200, 150, mods), up(200, 150, mods)], { scene }).scene.get('n1')
    expect(at({})).toMatchObject({ x: 140, y: 100 })
    expect(at({ alt: true })).toMatchObject({ x: 143, y: 102 })
    expect(play(boxTool, [down(3, 4), move(200, 150), up()]).scene.one()).toMatchObject({ x: 0, y: 0 })
  })

  test('a line is no box: drawing goes on', () => {
    const done = play(boxTool, [click(10, 10), click(50, 10.2)])
    expect(done.scene.size).toBe(0)
    expect(boxTool.busy(done.state)).toBe(true)
  })

  test('gets the armed class', () => {
    expect(play(boxTool, [down(10, 10), move(50, 40), up()], { classFor: () => 'person' }).scene.one()).toMatchObject({ class: 'person' })
  })

  test('the handle of the box just drawn can be pulled without another tool', () => {
    const done = play(boxTool, [down(100, 100), move(200, 200), up(), down(200, 200), move(250, 260, { alt: true }), up()])
    expect(done.scene.one()).toMatchObject({ x: 100, y: 100, w: 150, h: 160 })
    expect(done.marks).toEqual(['box', 'resize'])
  })

  test('who only reads draws nothing', () => {
    expect(play(boxTool, [down(10, 10), move(50, 40), up()], { readOnly: true }).scene.size).toBe(0)
  })
})

describe('polygon', () => {
  const corners = [click(100, 100), click(200, 100), click(200, 200)]

  test.each([
    ['Enter', [...corners, key('Enter')]],
    ['the first point', [...corners, click(100, 200), click(101, 101)]],
    ['a double click', [...corners, click(100, 200), down(100, 200, {}, 2)]],
  ] as const)('%s closes', (_, events) => {
    const done = play(polygonTool, [...events])
    const { points } = done.scene.one() as PolygonAnnotation
    expect(points.slice(0, 3)).toEqual([[100, 100], [200, 100], [200, 200]])
    expect(points.length).toBe(events.length === 4 ? 3 : 4)
    expect(polygonTool.busy(done.state)).toBe(false)
  })

  test('Backspace takes the last point back', () => {
    const done = play(polygonTool, [...corners, click(300, 300), key('Backspace'), key('Enter')])
    expect((done.scene.one() as PolygonAnnotation).points).toHaveLength(3)
  })

  test('two points are not enough; Escape leaves nothing', () => {
    const two = play(polygonTool, [click(100, 100), click(200, 100), key('Enter')])
    expect(two.scene.size).toBe(0)
    expect(polygonTool.busy(two.state)).toBe(true)
    expect(polygonTool.busy(play(polygonTool, [...corners, cancel()]).state)).toBe(false)
  })

  test('vertices snap to neighbours', () => {
    const scene = sceneOf(boxAt('a', 300, 300))
    const done = play(polygonTool, [click(303, 302), click(400, 500), click(200, 500), key('Enter')], { scene })
    expect((done.scene.get('n1') as PolygonAnnotation).points[0]).toEqual([300, 300])
  })

  test('the limit of points holds', () => {
    const limited = { ...ontology, limits: { polygon: { max_points: 3 } } }
    const done = play(polygonTool, [...corners, click(100, 200), key('Enter')], { ontology: limited })
    expect((done.scene.one() as PolygonAnnotation).points).toHaveLength(3)
  })

  test('a drag draws by free hand', () => {
    const events = [down(100, 100), ...Array.from({ length: 20 }, (_, i) => move(100 + 15 * i, 100 + (i % 5) * 12)), up(), key('Enter')]
    expect((play(polygonTool, events).scene.one() as PolygonAnnotation).points.length).toBeGreaterThan(15)
  })
})

describe('line and point', () => {
  test('a line ends by Enter or double click', () => {
    const done = play(lineTool, [click(10, 50), click(50, 80), down(50, 80, {}, 2)])
    expect(done.scene.one()).toMatchObject({ kind: 'line', points: [[10, 50], [50, 80]] })
  })

  test('a line of max_points ends itself', () => {
    const limited = { ...ontology, limits: { line: { max_points: 2 } } }
    expect((play(lineTool, [click(10, 50), click(50, 80)], { ontology: limited }).scene.one() as LineAnnotation).points).toHaveLength(2)
  })

  test('a point stands where the hand lets go', () => {
    const done = play(pointTool, [down(10, 10), move(33, 44), up()])
    expect(done.scene.one()).toMatchObject({ kind: 'point', x: 33, y: 44 })
  })
})
