/** Typed news from a surface to whoever mounted it. */
import type { Release } from './scope'

export class Emitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<(news: never) => void>>()

  on<K extends keyof Events>(type: K, listener: (news: Events[K]) => void): Release {
    let set = this.listeners.get(type)
    if (!set) this.listeners.set(type, (set = new Set()))
    const own = set
    own.add(listener as (news: never) => void)
    return () => {
      own.delete(listener as (news: never) => void)
    }
  }

  emit<K extends keyof Events>(type: K, news: Events[K]): void {
    for (const listener of [...(this.listeners.get(type) ?? [])]) (listener as (news: Events[K]) => void)(news)
  }

  clear(): void {
    this.listeners.clear()
  }
}
