/** What the page hears of the world while somebody works: network, window, signs of life, and its own end. */
import { useEffect } from 'react'
import type { Desk } from './desk'
import type { TaskLoop } from './loop'
import { releaseByBeacon } from './workApi'

export function useWorld(loop: TaskLoop, desk: { readonly current: Desk | null }): void {
  useEffect(() => {
    const wake = (): void => void loop.wake()
    const seen = (): void => {
      loop.clock.setVisible(document.visibilityState === 'visible')
      if (document.visibilityState === 'visible') wake()
      else {
        desk.current?.flush()
        loop.looked.remember()
        void loop.drafts.pushAll()
      }
    }
    const alive = (): void => loop.clock.activity()
    let released: readonly string[] = []
    const leaving = (): void => {
      desk.current?.flush()
      released = loop.untouched()
      releaseByBeacon(released)
      loop.pause()
    }
    const back = (event: PageTransitionEvent): void => {
      if (!event.persisted) return
      loop.resume()
      void loop.gaveBack(released).then(wake)
    }
    const signs = ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const
    for (const sign of signs) window.addEventListener(sign, alive, { passive: true, capture: true })
    window.addEventListener('online', wake)
    window.addEventListener('focus', wake)
    document.addEventListener('visibilitychange', seen)
    window.addEventListener('pagehide', leaving)
    window.addEventListener('pageshow', back)
    return () => {
      for (const sign of signs) window.removeEventListener(sign, alive, { capture: true })
      window.removeEventListener('online', wake)
      window.removeEventListener('focus', wake)
      document.removeEventListener('visibilitychange', seen)
      window.removeEventListener('pagehide', leaving)
      window.removeEventListener('pageshow', back)
    }
  }, [loop, desk])
}
