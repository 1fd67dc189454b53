/** Pointers and wheels to tool events and camera moves. Mouse, pen and fingers; two fingers always move the picture. */
import { type Camera, pan, toMedia } from '../../kernel/camera'
import type { Scope } from '../../kernel/scope'
import type { Mods, PointerNews } from '../../kernel/tool'
import { type Vec, clamp, distance } from '../../kernel/vec'

export interface InputHost {
  readonly element: HTMLElement
  camera(): Camera
  moveCamera(camera: Camera): void
  /** The media point under `at` stays under it. */
  zoomAround(at: Vec, zoom: number): void
  /** The pan tool is chosen or Space is held: every drag moves the picture. */
  panning(): boolean
  send(event: PointerNews): void
  /** Whatever the tool has begun is called off. */
  cancel(): void
  /** Screen place of the pointer; null when it left. */
  pointerAt(at: Vec | null, held: boolean): void
  /** A pan by hand began or ended. */
  grabbing(on: boolean): void
  readonly wheel: 'zoom' | 'pan'
}

const DOUBLE_ms = 350
const DOUBLE_px = 6
const LINE_px = 16

export const modsOf = (event: MouseEvent | KeyboardEvent): Mods => ({
  shift: event.shiftKey,
  alt: event.altKey,
  ctrl: event.ctrlKey || event.metaKey,
})

const handOf = (event: PointerEvent): PointerNews['by'] =>
  event.pointerType === 'touch' ? 'touch' : event.pointerType === 'pen' ? 'pen' : 'mouse'

export function listenToPointers(host: InputHost, scope: Scope): void {
  new Pointers(host).listen(scope)
}

class Pointers {
  private readonly fingers = new Map<number, Vec>()
  private active: { readonly id: number; readonly mode: 'tool' | 'pan' } | null = null
  private last: Vec = { x: 0, y: 0 }
  private lastPress = { at: { x: -99, y: -99 }, time: -Infinity, clicks: 0 }
  private pinching = false

  constructor(private readonly host: InputHost) {}

  listen(scope: Scope): void {
    const { host } = this
    const { element } = host
    scope.listen(element, 'pointerdown', (event) => this.down(event))
    scope.listen(element, 'pointermove', (event) => this.move(event))
    scope.listen(element, 'pointerup', (event) => this.up(event))
    scope.listen(element, 'pointercancel', (event) => this.lost(event))
    scope.listen(element, 'pointerleave', () => this.active ?? host.pointerAt(null, false))
    scope.listen(element, 'wheel', (event) => this.wheel(event), { passive: false })
    scope.listen(element, 'contextmenu', (event) => event.preventDefault())
    // Safari sends gestures of its own for trackpad pinches; the wheel events beside them are enough
    scope.listen(element, 'gesturestart', (event) => event.preventDefault())
  }

  private place(event: MouseEvent): Vec {
    const r = this.host.element.getBoundingClientRect()
    return { x: event.clientX - r.left, y: event.clientY - r.top }
  }

  private news(type: PointerNews['type'], event: PointerEvent, at: Vec, clicks: number): PointerNews {
    return { type, at: toMedia(this.host.camera(), at), mods: modsOf(event), by: handOf(event), clicks }
  }

  private down(event: PointerEvent): void {
    const at = this.place(event)
    this.host.element.focus({ preventScroll: true })
    if (event.pointerType === 'touch') {
      this.fingers.set(event.pointerId, at)
      if (this.fingers.size === 2) this.startPinch()
      if (this.fingers.size > 1) return
    }
    if (this.active || event.button > 1) return
    event.preventDefault()
    this.capture(event.pointerId)
    const moving = event.button === 1 || this.host.panning()
    this.active = { id: event.pointerId, mode: moving ? 'pan' : 'tool' }
    this.last = at
    this.host.pointerAt(at, true)
    if (moving) {
      this.host.grabbing(true)
      return
    }
    this.host.send(this.news('down', event, at, this.countClicks(event, at)))
  }

  private capture(id: number): void {
    try {
      this.host.element.setPointerCapture(id)
    } catch {
      // the pointer is gone already: its up or cancel event comes all the same
    }
  }

  private countClicks(event: PointerEvent, at: Vec): number {
    const p = this.lastPress
    const again = event.timeStamp - p.time < DOUBLE_ms && distance(at, p.at) < DOUBLE_px && p.clicks === 1
    this.lastPress = { at, time: event.timeStamp, clicks: again ? 2 : 1 }
    return this.lastPress.clicks
  }

  private move(event: PointerEvent): void {
    const at = this.place(event)
    if (event.pointerType === 'touch' && this.fingers.has(event.pointerId)) {
      if (this.pinching) {
        this.pinch(event.pointerId, at)
        return
      }
      this.fingers.set(event.pointerId, at)
    }
    if (this.active && this.active.id !== event.pointerId) return
    if (this.active?.mode === 'pan') {
      this.host.moveCamera(pan(this.host.camera(), at.x - this.last.x, at.y - this.last.y))
      this.last = at
      return
    }
    this.host.pointerAt(at, this.active !== null)
    if (this.active || !this.host.panning()) this.host.send(this.news('move', event, at, 0))
  }

  private up(event: PointerEvent): void {
    this.fingers.delete(event.pointerId)
    if (this.pinching && this.fingers.size < 2) this.pinching = false
    if (this.active?.id !== event.pointerId) return
    const { mode } = this.active
    this.active = null
    const at = this.place(event)
    if (mode === 'pan') this.host.grabbing(false)
    else this.host.send(this.news('up', event, at, 0))
    this.host.pointerAt(event.pointerType === 'touch' ? null : at, false)
  }

  private lost(event: PointerEvent): void {
    this.fingers.delete(event.pointerId)
    if (this.pinching && this.fingers.size < 2) this.pinching = false
    if (this.active?.id !== event.pointerId) return
    if (this.active.mode === 'pan') this.host.grabbing(false)
    else this.host.cancel()
    this.active = null
    this.host.pointerAt(null, false)
  }

  /** A second finger: what the first had begun was not meant. */
  private startPinch(): void {
    if (this.active?.mode === 'tool') this.host.cancel()
    if (this.active?.mode === 'pan') this.host.grabbing(false)
    this.active = null
    this.pinching = true
    this.host.pointerAt(null, false)
  }

  private pinch(id: number, at: Vec): void {
    const before = [...this.fingers.values()]
    this.fingers.set(id, at)
    const now = [...this.fingers.values()]
    const [a, b] = before
    const [c, d] = now
    if (!a || !b || !c || !d) return
    const from = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
    const to = { x: (c.x + d.x) / 2, y: (c.y + d.y) / 2 }
    const spread = distance(c, d) / Math.max(distance(a, b), 1)
    this.host.moveCamera(pan(this.host.camera(), to.x - from.x, to.y - from.y))
    this.host.zoomAround(to, this.host.camera().zoom * spread)
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault()
    const unit = event.deltaMode === 1 ? LINE_px : event.deltaMode === 2 ? 400 : 1
    const dx = event.deltaX * unit
    const dy = event.deltaY * unit
    const camera = this.host.camera()
    const zooming = event.ctrlKey || event.metaKey || (this.host.wheel === 'zoom' && !event.shiftKey && !event.altKey)
    if (!zooming) {
      const sideways = event.shiftKey && dx === 0
      this.host.moveCamera(pan(camera, sideways ? -dy : -dx, sideways ? 0 : -dy))
      return
    }
    // a pinch on a trackpad comes as small steps with Control
    const pace = event.ctrlKey && Math.abs(dy) < 50 ? 0.01 : 0.0018
    const at = this.place(event)
    this.host.zoomAround(at, camera.zoom * Math.exp(-clamp(dy, -400, 400) * pace))
    // the medium moved under a still pointer
    if (this.active?.mode === 'tool') this.host.send({ type: 'move', at: toMedia(this.host.camera(), at), mods: modsOf(event), by: 'mouse', clicks: 0 })
  }
}
