import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Camera, fit, keepInSight, pan, reveal, toMedia, toScreen, viewOf, zoomAt } from './camera'
import { encloses } from './vec'

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })
const cameras: fc.Arbitrary<Camera> = fc.record({ x: number(-1e5, 1e5), y: number(-1e5, 1e5), zoom: number(0.001, 64) })
const places = fc.record({ x: number(-5e3, 5e3), y: number(-5e3, 5e3) })
const rooms = fc.record({ w: number(100, 4000), h: number(100, 3000) })

const close = (a: { x: number; y: number }, b: { x: number; y: number }, tolerance = 1e-5): void => {
  expect(Math.abs(a.x - b.x)).toBeLessThan(tolerance)
  expect(Math.abs(a.y - b.y)).toBeLessThan(tolerance)
}

describe('camera', () => {
  test('screen -> media -> screen is identity', () => {
    fc.assert(fc.property(cameras, places, (camera, p) => close(toScreen(camera, toMedia(camera, p)), p)))
  })

  test('what is under the pointer stays there while zooming', () => {
    fc.assert(
      fc.property(cameras, places, number(0.001, 64), (camera, at, zoom) => {
        close(toScreen(zoomAt(camera, at, zoom), toMedia(camera, at)), at, 1e-4)
      }),
    )
  })

  test('a pan there and back is no pan', () => {
    fc.assert(fc.property(cameras, places, (camera, by) => close(pan(pan(camera, by.x, by.y), -by.x, -by.y), camera, 1e-4)))
  })

  test('fit shows all of it, in the middle', () => {
    fc.assert(
      fc.property(rooms, number(1, 20_000), number(1, 20_000), (room, w, h) => {
        const camera = fit({ x: 0, y: 0, w, h }, room, 10)
        const view = viewOf(camera, room)
        expect(encloses({ x: view.x - 1e-6, y: view.y - 1e-6, w: view.w + 2e-6, h: view.h + 2e-6 }, { x: 0, y: 0, w, h })).toBe(true)
        close(toScreen(camera, { x: w / 2, y: h / 2 }), { x: room.w / 2, y: room.h / 2 })
      }),
    )
  })

  test('the medium never leaves the room altogether', () => {
    const medium = { w: 1000, h: 800 }
    fc.assert(
      fc.property(cameras, rooms, (camera, room) => {
        const kept = keepInSight(camera, medium, room)
        const nw = toScreen(kept, { x: 0, y: 0 })
        const se = toScreen(kept, { x: 1000, y: 800 })
        expect(nw.x).toBeLessThan(room.w)
        expect(nw.y).toBeLessThan(room.h)
        expect(se.x).toBeGreaterThan(0)
        expect(se.y).toBeGreaterThan(0)
      }),
    )
  })

  test('reveal moves only as far as needed', () => {
    const room = { w: 400, h: 300 }
    const camera = { x: 0, y: 0, zoom: 1 }
    expect(reveal(camera, { x: 100, y: 100, w: 50, h: 50 }, room)).toEqual(camera)
    const right = reveal(camera, { x: 500, y: 100, w: 50, h: 50 }, room)
    expect(right).toEqual({ x: 190, y: 0, zoom: 1 })
  })
})
