import { describe, expect, test, vi } from 'vitest'
import { createFrame } from './frame'
import { Scope } from './scope'

class CountingTarget extends EventTarget {
  count = 0
  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.count++
    super.addEventListener(...args)
  }
  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.count--
    super.removeEventListener(...args)
  }
}

describe('scope', () => {
  test('dispose leaves nothing: listeners, timers, observers, children', () => {
    vi.useFakeTimers()
    const scope = new Scope()
    const target = new CountingTarget()
    const heard = vi.fn()
    const disconnect = vi.fn()
    scope.listen(target, 'ping', heard)
    scope.child().listen(target, 'ping', () => heard())
    scope.timeout(heard, 10)
    scope.interval(heard, 10)
    scope.observer({ disconnect })
    target.dispatchEvent(new Event('ping'))
    expect(heard).toHaveBeenCalledTimes(2)
    scope.dispose()
    target.dispatchEvent(new Event('ping'))
    vi.advanceTimersByTime(100)
    expect(heard).toHaveBeenCalledTimes(2)
    expect(disconnect).toHaveBeenCalledTimes(1)
    expect(target.count).toBe(0)
    expect(scope.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  test('newest first, each once, early release counts', () => {
    const scope = new Scope()
    const order: string[] = []
    scope.add(() => order.push('first'))
    const early = scope.add(() => order.push('early'))
    scope.add(() => order.push('last'))
    early()
    early()
    scope.dispose()
    scope.dispose()
    expect(order).toEqual(['early', 'last', 'first'])
  })

  test('what comes too late is let go of at once', () => {
    const scope = new Scope()
    scope.dispose()
    const release = vi.fn()
    const target = new CountingTarget()
    scope.add(release)
    scope.listen(target, 'ping', () => undefined)
    scope.timeout(() => undefined, 1)
    expect(release).toHaveBeenCalledTimes(1)
    expect(target.count).toBe(0)
    expect(scope.size).toBe(0)
  })

  test('one that fails does not keep the others', () => {
    const scope = new Scope()
    const release = vi.fn()
    scope.add(release)
    scope.add(() => {
      throw new Error('stuck')
    })
    expect(() => scope.dispose()).toThrow('stuck')
    expect(release).toHaveBeenCalledTimes(1)
  })

  test('a finished timer and a disposed child are no longer held', () => {
    vi.useFakeTimers()
    const scope = new Scope()
    scope.timeout(() => undefined, 5)
    const child = scope.child()
    child.dispose()
    vi.advanceTimersByTime(6)
    expect(scope.size).toBe(0)
    vi.useRealTimers()
  })
})

describe('frame', () => {
  const clockwork = () => {
    const queue = new Map<number, (time: number) => void>()
    let next = 0
    return {
      queue,
      request: (run: (time: number) => void) => (queue.set(++next, run), next),
      cancel: (handle: number) => void queue.delete(handle),
      tick() {
        const all = [...queue.values()]
        queue.clear()
        for (const run of all) run(0)
      },
    }
  }

  test('many requests, one drawing; none after dispose', () => {
    const clock = clockwork()
    const scope = new Scope()
    const draw = vi.fn()
    const frame = createFrame(scope, draw, clock)
    frame.request()
    frame.request()
    clock.tick()
    expect(draw).toHaveBeenCalledTimes(1)
    frame.request()
    frame.flush()
    expect(draw).toHaveBeenCalledTimes(2)
    expect(frame.due).toBe(false)
    frame.request()
    scope.dispose()
    clock.tick()
    frame.request()
    clock.tick()
    expect(draw).toHaveBeenCalledTimes(2)
    expect(clock.queue.size).toBe(0)
  })
})
