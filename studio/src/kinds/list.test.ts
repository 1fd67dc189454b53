import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contains, grow, type Rect } from '../kernel/vec'
import { findProblem } from '../model/check'
import type { Ontology, SpatialAnnotation, SpatialKind, XY } from '../model/types'
import { imageMessages } from '../surfaces/image/messages'
import { SPATIAL_KINDS, boundsOfAnnotation, isSpatial, kindOf, problemsOf } from './list'

const FILES = import.meta.glob<{ accept: SpatialAnnotation[] }>('../../../fixtures/kinds/*/*.json', { eager: true, import: 'default' })

// ---- one generator per kind; the laws run over the written list ----

const at = fc.double({ min: -1000, max: 1000, noNaN: true })
const side = fc.double({ min: 2, max: 400, noNaN: true })
const points = (least: number): fc.Arbitrary<XY[]> =>
  fc.array(fc.tuple(at, at), { minLength: least, maxLength: 12 }).filter((ps) => {
    const xs = ps.map((p) => p[0])
    const ys = ps.map((p) => p[1])
    return Math.max(...xs) - Math.min(...xs) > 1 && Math.max(...ys) - Math.min(...ys) > 1
  })
/** A star round a centre: never degenerate, concave as often as not. */
const rings = fc
  .tuple(at, at, fc.array(fc.double({ min: 10, max: 200, noNaN: true }), { minLength: 3, maxLength: 12 }))
  .map(([x, y, radii]) => radii.map((r, i): XY => [x + r * Math.cos((2 * Math.PI * i) / radii.length), y + r * Math.sin((2 * Math.PI * i) / radii.length)]))

const common = { id: fc.constant('a'), class: fc.constant('car') }
const SHAPES: { readonly [K in SpatialKind]: fc.Arbitrary<SpatialAnnotation> } = {
  box: fc
    .tuple(fc.record({ ...common, kind: fc.constant('box' as const), x: at, y: at, w: side, h: side }), fc.option(fc.double({ min: -3, max: 3, noNaN: true }), { nil: undefined }))
    .map(([a, angle]) => (angle === undefined ? a : { ...a, angle_rad: angle })),
  polygon: fc.record({ ...common, kind: fc.constant('polygon' as const), points: rings }),
  line: fc.record({ ...common, kind: fc.constant('line' as const), points: points(2) }),
  point: fc.record({ ...common, kind: fc.constant('point' as const), x: at, y: at }),
}

const near = (a: Rect, b: Rect, tolerance = 1e-6): void => {
  for (const key of ['x', 'y', 'w', 'h'] as const) expect(Math.abs(a[key] - b[key])).toBeLessThan(tolerance)
}

function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbers) : []
}

const same = (a: SpatialAnnotation, b: SpatialAnnotation, tolerance = 1e-6): void => {
  const left = numbers(a)
  const right = numbers(b)
  expect(left.length).toBe(right.length)
  left.forEach((n, i) => expect(Math.abs(n - (right[i] as number))).toBeLessThan(tolerance))
}

describe.each([...SPATIAL_KINDS])('law: %s', (name) => {
  const shapes = SHAPES[name]
  const law = (check: (a: SpatialAnnotation) => void): void => fc.assert(fc.property(shapes, check), { numRuns: 60 })

  test('what is made is valid', () => 
    law((a) => {
      expect(findProblem(a)).toBeNull()
    }))

  test('translate there and back is identity, and bounds go along', () =>
    law((a) => {
      const kind = kindOf(a)
      const moved = kind.move(a, 12.5, -7)
      same(kind.move(moved, -12.5, 7), a)
      const b = kind.bounds(a)
      near(kind.bounds(moved), { ...b, x: b.x + 12.5, y: b.y - 7 })
    }))

  test('a place inside is hit, a place far away is not', () =>
    law((a) => {
      const kind = kindOf(a)
      expect(kind.hit(a, kind.inside(a), 1e-6)).toBe(true)
      const b = kind.bounds(a)
      expect(kind.hit(a, { x: b.x + b.w + 50, y: b.y }, 5)).toBe(false)
    }))

  test('what is hit lies in the grown bounds; the outline lies in the bounds', () =>
    law((a) => {
      const kind = kindOf(a)
      const b = grow(kind.bounds(a), 1e-6)
      expect(contains(b, kind.inside(a))).toBe(true)
      for (const [x, y] of kind.outline(a)) expect(contains(b, { x, y })).toBe(true)
      expect(contains(b, kind.labelAt(a))).toBe(true)
    }))

  test('a marquee round it takes it, one beside it does not', () =>
    law((a) => {
      const kind = kindOf(a)
      const b = kind.bounds(a)
      expect(kind.overlaps(a, grow(b, 1))).toBe(true)
      expect(kind.overlaps(a, { x: b.x + b.w + 10, y: b.y, w: 20, h: 20 })).toBe(false)
    }))

  test('resize to the same is identity; to another keeps the bounds it was given (unless turned)', () =>
    law((a) => {
      const kind = kindOf(a)
      const b = kind.bounds(a)
      same(kind.resize(a, b, b), a)
      if (a.kind === 'box' && a.angle_rad !== undefined) return
      const to = { x: 5, y: 6, w: b.w * 2, h: b.h * 3 }
      near(kind.bounds(kind.resize(a, b, to)), to, 1e-5)
    }))

  test('a handle dragged to where it is changes nothing; dragged elsewhere it goes there', () =>
    law((a) => {
      const kind = kindOf(a)
      for (const handle of kind.handles(a, 1)) {
        same(kind.drag(a, handle.id, handle.anchor, { keep: false }), a, 1e-5)
        const to = { x: handle.anchor.x + 3000, y: handle.anchor.y + 2500 }
        const moved = kind.drag(a, handle.id, to, { keep: false })
        expect(findProblem(moved)).toBeNull()
        if (handle.role === 'vertex' || handle.role === 'corner') {
          const reached = kind.outline(moved).some(([x, y]) => Math.hypot(x - to.x, y - to.y) < 1e-4)
          expect(reached).toBe(true)
        }
      }
    }))

  test('handles never cover a small object', () =>
    law((a) => {
      const kind = kindOf(a)
      const b = kind.bounds(a)
      const zoom = 12 / Math.max(b.w, b.h, 1e-9)
      const middle = { x: b.x + b.w / 2, y: b.y + b.h / 2 }
      for (const handle of kind.handles(a, zoom)) {
        const far = Math.hypot(handle.at.x - middle.x, handle.at.y - middle.y)
        const anchorFar = Math.hypot(handle.anchor.x - middle.x, handle.anchor.y - middle.y)
        expect(far * zoom).toBeGreaterThanOrEqual(anchorFar * zoom + 5)
      }
    }))

  test('interpolation begins at one and ends at the other', () =>
    fc.assert(
      fc.property(shapes, shapes, (a, b) => {
        const kind = kindOf(a)
        near(kind.bounds(kind.interpolate(a, b, 0)), kind.bounds(a), 1e-4)
        near(kind.bounds(kind.interpolate(a, b, 1)), kind.bounds(b), 1e-4)
      }),
      { numRuns: 40 },
    ))

  test('tidy moves nothing by more than a hundredth and stays valid', () =>
    law((a) => {
      const tidy = kindOf(a).tidy(a)
      expect(findProblem(tidy)).toBeNull()
      same(tidy, a, 0.0051)
    }))

  test('setSize gives the size asked for', () =>
    law((a) => {
      const kind = kindOf(a)
      if (a.kind === 'point' || (a.kind === 'box' && a.angle_rad !== undefined)) return
      const b = kind.bounds(kind.setSize(a, { w: 77, h: 33 }))
      near(b, { ...kind.bounds(a), w: 77, h: 33 }, 1e-5)
    }))

  test('vertices can be added and taken away down to the least', () =>
    law((a) => {
      const path = kindOf(a).path
      if (!path || !('points' in a)) return
      const more = path.insert(a, 0, { x: 1, y: 2 })
      expect('points' in more && more.points[1]).toEqual([1, 2])
      expect(path.remove(more, 1)).toEqual(a)
      const least = { ...a, points: a.points.slice(0, path.least) } as SpatialAnnotation
      expect(path.remove(least, 0)).toBeNull()
    }))

  test('every word it says is in the catalogue', () =>
    law((a) => {
      expect(imageMessages).toHaveProperty([kindOf(a).size(a).key])
    }))

  test('the index can hold what the fixtures accept', () => {
    for (const [path, { accept }] of Object.entries(FILES)) {
      if (!path.includes(`/${name}/`)) continue
      for (const a of accept) {
        expect(isSpatial(a)).toBe(true)
        const b = boundsOfAnnotation(a) as Rect
        expect([b.x, b.y, b.w, b.h].every(Number.isFinite)).toBe(true)
      }
    }
  })
})

describe('problems', () => {
  const ontology: Ontology = {
    classes: [
      { name: 'car', kinds: ['box', 'polygon'], attributes: ['colour'] },
      { name: 'lane', kinds: ['line'], attributes: [] },
    ],
    attributes: [
      { name: 'colour', type: 'choice', choices: ['red', 'blue'], required: true },
      { name: 'seen', type: 'boolean' },
    ],
    fields: [],
    limits: { box: { min_w: 5, can_rotate: false }, polygon: { min_points: 4, max_points: 5 } },
  }
  const box = { id: 'a', kind: 'box', class: 'car', x: 0, y: 0, w: 10, h: 10, attributes: { colour: 'red' } } as const
  const keys = (a: SpatialAnnotation): string[] => problemsOf(a, ontology).map((p) => p.key.replace('image.problem.', ''))

  test.each([
    ['nothing', box, []],
    ['no class', { ...box, class: '' }, ['unnamed']],
    ['foreign class', { ...box, class: 'tree' }, ['unknown_class']],
    ['class of another kind', { ...box, class: 'lane', attributes: {} }, ['wrong_kind']],
    ['attribute missing', { ...box, attributes: {} }, ['attribute_missing']],
    ['attribute not offered', { ...box, attributes: { colour: 'green' } }, ['attribute_value']],
    ['too narrow', { ...box, w: 4 }, ['narrow']],
    ['turned', { ...box, angle_rad: 1 }, ['rotated']],
    ['not a number', { ...box, x: NaN }, ['invalid']],
    ['few points', { id: 'a', kind: 'polygon', class: 'car', attributes: { colour: 'red' }, points: [[0, 0], [9, 0], [9, 9]] }, ['few_points']],
  ] as [string, SpatialAnnotation, string[]][])('%s', (_, a, expected) => {
    expect(keys(a)).toEqual(expected)
    for (const p of problemsOf(a, ontology)) expect(imageMessages).toHaveProperty([p.key])
  })
})
