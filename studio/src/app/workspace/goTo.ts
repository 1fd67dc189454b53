import type { ImageSurface } from '../../surfaces/image/surface'
import type { Desk } from './desk'

/** To the first thing that is missing. */
export function goTo(desk: Desk, surface: ImageSurface | null): void {
  const first = desk.missing[0]
  if (!first) return
  if (first.annotation) {
    surface?.setSelection([first.annotation], true)
    desk.text?.choose(first.annotation, true)
    return
  }
  requestAnimationFrame(() => {
    const field = document.querySelector(`[data-question="${CSS.escape(first.question ?? '')}"]`)
    field?.scrollIntoView({ block: 'center' })
    field?.querySelector<HTMLElement>('input, textarea, button')?.focus()
  })
}
