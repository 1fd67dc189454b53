// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { store } from '../../kernel/history'
import { mountImage, type ImageSurface } from './surface'
import { boxAt, ontology } from './tools/testing'

/** jsdom draws nothing: a context that takes every call. */
function fakeContext(): unknown {
  return new Proxy({}, { get: (target, key) => (key in target ? (target as Record<PropertyKey, unknown>)[key] : key === 'measureText' ? () => ({ width: 10 }) : () => undefined), set: (target, key, value) => Reflect.set(target, key, value) })
}

const counts = new Map<EventTarget, number>()
let observers = 0
const mounted: ImageSurface[] = []

beforeEach(() => {
  counts.clear()
  observers = 0
  const { addEventListener, removeEventListener } = EventTarget.prototype
  vi.spyOn(EventTarget.prototype, 'addEventListener').mockImplementation(function (this: EventTarget, ...args) {
    counts.set(this ?? window, (counts.get(this ?? window) ?? 0) + 1)
    return addEventListener.apply(this ?? window, args)
  })
  vi.spyOn(EventTarget.prototype, 'removeEventListener').mockImplementation(function (this: EventTarget, ...args) {
    counts.set(this ?? window, (counts.get(this ?? window) ?? 0) - 1)
    return removeEventListener.apply(this ?? window, args)
  })
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation(() => fakeContext() as never)
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(800)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(600)
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(private readonly seen: () => void) {}
      observe(): void {
        observers++
        this.seen()
      }
      disconnect(): void {
        observers--
      }
    },
  )
})

afterEach(() => {
  for (const one of mounted.splice(0)) one.dispose()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  document.body.replaceChildren()
})

function mount(history?: unknown, annotations = [boxAt('a', 100, 100)]): ImageSurface {
  const host = document.createElement('div')
  document.body.append(host)
  const surface = mountImage(host, { image: { url: 'data:,', width: 1000, height: 800, name: 'street.jpg' }, ontology, annotations, history })
  mounted.push(surface)
  return surface
}

const canvasOf = (surface: ImageSurface): HTMLCanvasElement => surface.element.querySelector('canvas[tabindex]') as HTMLCanvasElement
const press = (surface: ImageSurface, key: string, more: KeyboardEventInit = {}): boolean =>
  !canvasOf(surface).dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true, bubbles: true, ...more }))

describe('image surface', () => {
  test('dispose leaves no listener, no observer, no element', () => {
    const surface = mount()
    surface.setSelection(['a'])
    expect([...counts.values()].some((n) => n > 0)).toBe(true)
    surface.dispose()
    // jsdom's selector engine listens on the document for itself
    expect([...counts].filter(([target, n]) => n !== 0 && target !== document)).toEqual([])
    expect(observers).toBe(0)
    expect(document.querySelector('.eh-image-surface')).toBeNull()
    expect(() => surface.dispose()).not.toThrow()
  })

  test('has a role, a name and a description', () => {
    const canvas = canvasOf(mount())
    expect(canvas.getAttribute('role')).toBe('application')
    expect(canvas.getAttribute('aria-label')).toContain('street.jpg')
    expect(document.getElementById(canvas.getAttribute('aria-describedby') ?? '')?.textContent).toContain('Space')
  })

  test('says what is selected', () => {
    vi.useFakeTimers()
    const surface = mount()
    surface.setSelection(['a'])
    vi.advanceTimersByTime(500)
    expect(surface.element.querySelector('[aria-live]')?.textContent).toContain('40 × 30 px')
    vi.useRealTimers()
  })

  test('a box from the keyboard alone', () => {
    const surface = mount(undefined, [])
    const asked = vi.fn()
    surface.on('needsClass', asked)
    press(surface, 'b')
    press(surface, 'ArrowRight')
    press(surface, ' ')
    for (let i = 0; i < 3; i++) press(surface, 'ArrowRight', { shiftKey: true })
    for (let i = 0; i < 2; i++) press(surface, 'ArrowDown', { shiftKey: true })
    press(surface, ' ')
    const step = Math.max(1, Math.round(1 / surface.getZoom()))
    expect(surface.board.scene.one()).toMatchObject({ kind: 'box', w: 30 * step, h: 20 * step })
    expect(asked).toHaveBeenCalledTimes(1)
  })

  test('a polygon from the keyboard alone', () => {
    const surface = mount(undefined, [])
    press(surface, 'p')
    const go = (key: string): void => {
      for (let i = 0; i < 4; i++) press(surface, key, { shiftKey: true })
      press(surface, ' ')
    }
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft']) go(key)
    press(surface, 'Enter')
    expect(surface.board.scene.one()).toMatchObject({ kind: 'polygon' })
  })

  test('screen -> media -> screen is identity, also after zoom', () => {
    const surface = mount()
    for (const zoom of [0.3, 1, 7]) {
      surface.zoomTo(zoom)
      const there = surface.toScreen(surface.toMedia({ x: 123, y: 45 }))
      expect(there.x).toBeCloseTo(123, 6)
      expect(there.y).toBeCloseTo(45, 6)
    }
  })

  test('state comes out, and undo works in the next life', () => {
    const surface = mount()
    const news = vi.fn()
    surface.on('edits', news)
    surface.setSelection(['a'])
    press(surface, 'ArrowRight')
    expect(news.mock.calls[0]?.[0]).toMatchObject({ mark: 'nudge', how: 'do', edits: [{ op: 'patch', id: 'a', before: { x: 100 }, after: { x: 101 } }] })
    const state = JSON.parse(JSON.stringify(surface.exportState()))
    const next = mount(state.history, state.annotations)
    expect(next.undo()).toBe(true)
    expect(next.board.scene.one()).toMatchObject({ x: 100 })
    const foreign = mount(state.history, [boxAt('z', 0, 0)])
    expect(store(foreign.board.history)).toEqual([])
  })
})
