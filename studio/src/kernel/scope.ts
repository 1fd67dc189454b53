/**
 * The owner of every listener, timer, observer and frame. `dispose` lets go of all of them, newest first, and of children.
 * What is added after that is let go of at once.
 */
export type Release = () => void

type EventOf<M, K> = K extends keyof M ? M[K] : Event

export class Scope {
  private readonly held = new Set<Release>()
  private over = false

  get disposed(): boolean {
    return this.over
  }

  /** How many things are held. */
  get size(): number {
    return this.held.size
  }

  /** Gives a release that may be called early and more than once. */
  add(release: Release): Release {
    let done = false
    const once = (): void => {
      if (done) return
      done = true
      this.held.delete(once)
      release()
    }
    if (this.over) once()
    else this.held.add(once)
    return once
  }

  listen<K extends string>(
    target: EventTarget,
    type: K,
    listener: (event: EventOf<HTMLElementEventMap & WindowEventMap, K>) => void,
    options?: AddEventListenerOptions,
  ): Release {
    const plain = listener as unknown as EventListener
    if (this.over) return () => undefined
    target.addEventListener(type, plain, options)
    return this.add(() => target.removeEventListener(type, plain, options))
  }

  timeout(run: () => void, delay_ms: number): Release {
    if (this.over) return () => undefined
    const timer = setTimeout(() => {
      this.held.delete(release)
      run()
    }, delay_ms)
    const release = this.add(() => clearTimeout(timer))
    return release
  }

  interval(run: () => void, every_ms: number): Release {
    if (this.over) return () => undefined
    const timer = setInterval(run, every_ms)
    return this.add(() => clearInterval(timer))
  }

  /** Anything with disconnect(): ResizeObserver, IntersectionObserver. */
  observer<O extends { disconnect(): void }>(observer: O): O {
    this.add(() => observer.disconnect())
    return observer
  }

  child(): Scope {
    const scope = new Scope()
    const release = this.add(() => scope.dispose())
    scope.add(release)
    return scope
  }

  dispose(): void {
    if (this.over) return
    this.over = true
    const errors: unknown[] = []
    for (const release of [...this.held].reverse()) {
      try {
        release()
      } catch (error) {
        errors.push(error)
      }
    }
    this.held.clear()
    if (errors.length > 0) throw errors[0]
  }
}
