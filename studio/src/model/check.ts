/**
 * Runtime validation of annotations, the twin of the server's. Both read the golden files in `fixtures/kinds`.
 * Unknown keys are refused: a client that sends more than we keep should hear of it, not lose it.
 */
import type { Annotation, Answer, Kind } from './types'

export const MAX_ANNOTATIONS = 20_000
export const MAX_POINTS = 10_000
export const MAX_TEXT = 1_000_000
export const MAX_COORDINATE = 1e7
export const MAX_NAME = 200

/** What is wrong, and where: `path` is like `points[3][0]`, relative to the annotation (or the answer). */
export interface Problem {
  readonly path: string
  readonly detail: string
}

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

type Json = Readonly<Record<string, unknown>>
type Rule = (value: unknown, path: string) => Problem | null

const ID = /^[A-Za-z0-9_-]{1,64}$/

const bad = (path: string, detail: string): Problem => ({ path, detail })
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Code points, as the server counts, not UTF-16 units. Stops counting at `limit + 1`. */
function longerThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  let count = 0
  for (const _ of text) if (++count > limit) return true
  return false
}

const id: Rule = (value, path) =>
  typeof value === 'string' && ID.test(value) ? null : bad(path, 'must be 1-64 characters of A-Z a-z 0-9 _ -')

const name: Rule = (value, path) =>
  typeof value === 'string' && value.length > 0 && !longerThan(value, MAX_NAME)
    ? null
    : bad(path, `must be a string of 1-${MAX_NAME} characters`)

const finite: Rule = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? null : bad(path, 'must be a finite number')

const coordinate: Rule = (value, path) =>
  finite(value, path) ??
  (Math.abs(value as number) <= MAX_COORDINATE ? null : bad(path, 'must lie within ±10,000,000'))

const length: Rule = (value, path) =>
  coordinate(value, path) ?? ((value as number) > 0 ? null : bad(path, 'must be greater than 0'))

const offset: Rule = (value, path) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? null : bad(path, 'must be a whole number, 0 or more')

const text: Rule = (value, path) =>
  typeof value === 'string' && !longerThan(value, MAX_TEXT)
    ? null
    : bad(path, 'must be a string of at most 1,000,000 characters')

const strength: Rule = (value, path) =>
  value === 0 || value === 1 || value === 2 || value === 3 ? null : bad(path, 'must be 0, 1, 2 or 3')

const winner: Rule = (value, path) => (value === null ? null : id(value, path))

const points = (least: number): Rule => (value, path) => {
  if (!Array.isArray(value)) return bad(path, 'must be a list of [x, y] pairs')
  if (value.length < least) return bad(path, `must hold at least ${least} points`)
  if (value.length > MAX_POINTS) return bad(path, 'must hold at most 10,000 points')
  for (let i = 0; i < value.length; i++) {
    const pair: unknown = value[i]
    if (!Array.isArray(pair) || pair.length !== 2) return bad(`${path}[${i}]`, 'must be an [x, y] pair')
    const problem = coordinate(pair[0], `${path}[${i}][0]`) ?? coordinate(pair[1], `${path}[${i}][1]`)
    if (problem) return problem
  }
  return null
}

const values: Rule = (value, path) => {
  if (!Array.isArray(value) || value.length === 0) return bad(path, 'must be a list with at least 1 value')
  for (let i = 0; i < value.length; i++) {
    const problem = name(value[i], `${path}[${i}]`)
    if (problem) return problem
  }
  return new Set(value).size === value.length ? null : bad(path, 'must not repeat a value')
}

const attributes: Rule = (value, path) => {
  if (!isObject(value)) return bad(path, 'must be an object')
  for (const [key, item] of Object.entries(value)) {
    const at = `${path}.${key}`
    if (typeof item === 'boolean' || typeof item === 'string') continue
    if (typeof item === 'number') {
      const problem = finite(item, at)
      if (problem) return problem
      continue
    }
    if (Array.isArray(item) && item.every((one) => typeof one === 'string')) continue
    return bad(at, 'must be a string, a number, true or false, or a list of strings')
  }
  return null
}

interface Shape {
  readonly required: Readonly<Record<string, Rule>>
  readonly optional: Readonly<Record<string, Rule>>
  /** What holds between keys. */
  readonly also?: (value: Json) => Problem | null
}

const classed = { class: name }
const extras = { attributes }

/** The written list: one shape per kind. */
const SHAPES: Readonly<Record<Kind, Shape>> = {
  box: {
    required: { ...classed, x: coordinate, y: coordinate, w: length, h: length },
    optional: { ...extras, angle_rad: coordinate },
  },
  polygon: { required: { ...classed, points: points(3) }, optional: extras },
  line: { required: { ...classed, points: points(2) }, optional: extras },
  point: { required: { ...classed, x: coordinate, y: coordinate }, optional: extras },
  span: {
    required: { ...classed, start: offset, end: offset },
    optional: extras,
    also: (v) => ((v['start'] as number) < (v['end'] as number) ? null : bad('end', 'must be greater than start')),
  },
  choice: { required: { field: name, values }, optional: {} },
  text: { required: { field: name, text }, optional: { target: id } },
  rating: { required: { field: name, value: finite }, optional: { target: id } },
  preference: {
    required: { field: name, winner, strength },
    optional: {},
    also: (v) =>
      (v['winner'] === null) === (v['strength'] === 0)
        ? null
        : bad('strength', 'must be 0 for a tie and 1-3 for a winner'),
  },
}

export const KINDS = Object.keys(SHAPES) as readonly Kind[]

const isKind = (value: unknown): value is Kind => typeof value === 'string' && Object.hasOwn(SHAPES, value)

/** The first problem of one annotation, or null. */
export function findProblem(value: unknown): Problem | null {
  if (!isObject(value)) return bad('', 'must be an object')
  const kind = value['kind']
  if (!isKind(kind)) return bad('kind', `must be one of ${KINDS.join(', ')}`)
  const shape = SHAPES[kind]
  const problem = id(value['id'], 'id')
  if (problem) return problem
  for (const [key, rule] of Object.entries(shape.required)) {
    if (!Object.hasOwn(value, key)) return bad(key, 'is missing')
    const wrong = rule(value[key], key)
    if (wrong) return wrong
  }
  for (const key of Object.keys(value)) {
    if (key === 'id' || key === 'kind' || Object.hasOwn(shape.required, key)) continue
    const rule = Object.hasOwn(shape.optional, key) ? shape.optional[key] : undefined
    if (!rule) return bad(key, `is not a key of ${kind}`)
    const wrong = rule(value[key], key)
    if (wrong) return wrong
  }
  return shape.also?.(value) ?? null
}

export function checkAnnotation(value: unknown): Checked<Annotation> {
  const problem = findProblem(value)
  return problem ? { ok: false, problem } : { ok: true, value: value as Annotation }
}

export function checkAnswer(value: unknown): Checked<Answer> {
  if (!isObject(value)) return { ok: false, problem: bad('', 'must be an object') }
  const list = value['annotations']
  if (!Array.isArray(list)) return { ok: false, problem: bad('annotations', 'must be a list') }
  const other = Object.keys(value).find((key) => key !== 'annotations')
  if (other !== undefined) return { ok: false, problem: bad(other, 'is not a key of an answer') }
  if (list.length > MAX_ANNOTATIONS) {
    return { ok: false, problem: bad('annotations', 'must hold at most 20,000 annotations') }
  }
  const seen = new Set<string>()
  for (let i = 0; i < list.length; i++) {
    const at = `annotations[${i}]`
    const problem = findProblem(list[i])
    if (problem) {
      return { ok: false, problem: bad(problem.path ? `${at}.${problem.path}` : at, problem.detail) }
    }
    const own = (list[i] as Annotation).id
    if (seen.has(own)) return { ok: false, problem: bad(`${at}.id`, 'is used twice in this answer') }
    seen.add(own)
  }
  return { ok: true, value: value as unknown as Answer }
}
