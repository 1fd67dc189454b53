/** The mounted image surface: canvases, camera, pointer and keyboard round a board. Made by `mountImage`. */
import './surface.css'
import { boundsOfAnnotation, isSpatial, kindOf } from '../../kinds/list'
import { classStyles } from '../../kinds/palette'
import { type Camera, fit, keepInSight, reveal, toMedia, toScreen, zoomAt } from '../../kernel/camera'
import type { Edit } from '../../kernel/edits'
import { Emitter } from '../../kernel/emitter'
import { createFrame } from '../../kernel/frame'
import { fits, restore, store } from '../../kernel/history'
import { Scene } from '../../kernel/scene'
import { type Release, Scope } from '../../kernel/scope'
import { NO_MODS, type Mods, type PointerNews } from '../../kernel/tool'
import { type Size, type Vec, centre, clamp, unionAll } from '../../kernel/vec'
import { checkAnnotation } from '../../model/check'
import type { Annotation, SpatialAnnotation } from '../../model/types'
import { Board, type MarkName } from './board'
import { type Clipboard, emptyClipboard, setSize } from './commands'
import { listenToPointers, modsOf } from './input'
import { type KeyHost, pressKey } from './keys'
import { drawLive } from './live'
import { Picture, type PictureProblem } from './picture'
import { Speaker } from './speaker'
import { type Look, Stills } from './stills'
import { selectTool } from './tools/select'
import { type ToolName, kindDrawn } from './tools/list'
import { say } from './words'

import type { Adjust, ImageSource, ImageSurface, ImageSurfaceEvents, ImageSurfaceOptions, SurfaceState } from './surface'

/** A camera that has not moved for this long is drawn for in full. */
const REST_ms = 110

const isAnnotation = (value: unknown): value is Annotation => {
  // a shape may be on its way to a class: '' is fine in a draft, not in an answer
  if (typeof value === 'object' && value !== null && 'class' in value && value.class === '') {
    return checkAnnotation({ ...value, class: '-' }).ok
  }
  return checkAnnotation(value).ok
}

/** A stored history, if it leads to these annotations. */
function historyOf(stored: unknown, annotations: readonly Annotation[]) {
  const history = restore<Annotation>(stored, isAnnotation)
  return history && fits(history, Scene.of(annotations, boundsOfAnnotation)) ? history : null
}

export class Mounted implements ImageSurface, KeyHost {
  readonly board: Board
  readonly element: HTMLElement
  readonly clipboard: Clipboard
  private readonly scope = new Scope()
  private readonly events = new Emitter<ImageSurfaceEvents>()
  private readonly picture: Picture
  private readonly stills: Stills
  private readonly look: Look
  private readonly canvases: { readonly picture: HTMLCanvasElement; readonly stills: HTMLCanvasElement; readonly live: HTMLCanvasElement }
  private readonly contexts: { readonly picture: CanvasRenderingContext2D; readonly live: CanvasRenderingContext2D; readonly stills: CanvasRenderingContext2D }
  private readonly frame
  private readonly speaker: Speaker
  private styleOf: ReturnType<typeof classStyles>
  private camera: Camera = { x: 0, y: 0, zoom: 1 }
  private room: Size = { w: 0, h: 0 }
  private dpr = 1
  private fitted = true
  private adjust: Adjust = { brightness: 1, contrast: 1 }
  private changed: Set<string> | null = new Set()
  private due = { picture: true, stills: true, live: true }
  private pointer: Vec | null = null
  private cursor: Vec | null = null
  private held = false
  private spaceHeld = false
  private grabbed = false
  private borrowed: ToolName | null = null
  private accent = '#2c50c9'
  private coasting: Release | null = null

  constructor(host: HTMLElement, options: ImageSurfaceOptions) {
    const { image, ontology } = options
    const annotations = options.annotations ?? []
    this.clipboard = options.clipboard ?? emptyClipboard()
    this.board = new Board({
      annotations,
      ontology,
      size: { w: image.width, h: image.height },
      history: historyOf(options.history, annotations),
      readOnly: options.readOnly ?? false,
      ...(options.newId ? { newId: options.newId } : {}),
    })
    this.styleOf = classStyles(ontology.classes)
    this.look = this.makeLook()
    this.element = document.createElement('div')
    this.element.className = 'eh-image-surface'
    this.canvases = { picture: canvas(), stills: canvas(), live: canvas() }
    this.element.append(this.canvases.picture, this.canvases.stills, this.canvases.live)
    this.speaker = new Speaker(this.element, this.canvases.live, this.board, image, this.scope)
    host.append(this.element)
    this.scope.add(() => this.element.remove())
    this.contexts = { picture: contextOf(this.canvases.picture), stills: contextOf(this.canvases.stills), live: contextOf(this.canvases.live) }
    this.stills = new Stills(this.contexts.stills, this.look)
    this.frame = createFrame(this.scope, () => this.draw())
    this.picture = new Picture({ w: image.width, h: image.height }, this.scope, {
      ready: () => {
        this.redraw('picture')
        this.events.emit('ready', null)
      },
      better: () => this.redraw('picture'),
      problem: (code, natural) => this.tellProblem(code, natural, image),
    })
    this.listenToBoard()
    listenToPointers(this.inputHost(options.wheel ?? 'zoom'), this.scope)
    this.listenToHost()
    this.picture.load(image.url)
    this.scope.add(() => this.events.clear())
    this.scope.add(() => this.board.events.clear())
  }

  private makeLook(): Look {
    return {
      styleOf: (name) => this.styleOf(name),
      titleOf: (name) => (name === '' ? say('image.list.unnamed') : (this.board.ontology.classes.find((c) => c.name === name)?.title ?? name)),
      visible: (a) => this.board.visible(a),
    }
  }

  // ---- wiring ----

  private listenToBoard(): void {
    const { events } = this.board
    events.on('edits', (news) => this.events.emit('edits', { ...news, scene: this.board.scene }))
    events.on('selection', (ids) => this.events.emit('selection', ids))
    events.on('tool', (name) => {
      this.showCursor()
      this.events.emit('tool', name)
    })
    events.on('needsClass', (ids) => this.events.emit('needsClass', { ids, at: this.placeForPicker(ids) }))
    events.on('change', () => this.events.emit('change', null))
    events.on('live', () => {
      this.showCursor()
      this.redraw('live')
    })
    events.on('scene', (ids) => {
      if (ids === null || this.changed === null) this.changed = null
      else for (const id of ids) this.changed.add(id)
      if (ids === null) this.styleOf = classStyles(this.board.ontology.classes)
      this.redraw('stills')
      this.redraw('live')
    })
  }

  private listenToHost(): void {
    const { scope } = this
    const live = this.canvases.live
    scope.listen(live, 'keydown', (event) => {
      if (this.key(event)) {
        event.preventDefault()
        event.stopPropagation()
      }
    })
    scope.listen(window, 'keyup', (event) => this.keyUp(event))
    scope.listen(window, 'blur', () => this.letGo())
    scope.listen(live, 'blur', () => this.hideKeyboardCursor())
    // calls at once as well, after layout and before the first painting
    scope.observer(new ResizeObserver(() => this.measure())).observe(this.element)
    const theme = scope.observer(new MutationObserver(() => this.readTheme()))
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'class'] })
    const dark = window.matchMedia?.('(prefers-color-scheme: dark)')
    if (dark) scope.listen(dark, 'change', () => this.readTheme())
    this.readTheme()
    // fonts arrive after the first drawing: labels are measured again
    document.fonts?.ready.then(
      () => {
        if (!scope.disposed && this.stills.retag(this.dpr)) this.redraw('stills')
      },
      () => undefined,
    )
  }

  private inputHost(wheel: 'zoom' | 'pan') {
    return {
      element: this.canvases.live,
      wheel,
      camera: () => this.camera,
      moveCamera: (camera: Camera) => {
        this.coast()
        this.moveCamera(camera)
      },
      zoomAround: (at: Vec, zoom: number) => {
        this.coast()
        this.zoomAround(at, zoom)
      },
      panning: () => this.board.tool === 'pan' || this.spaceHeld,
      send: (event: PointerNews) => this.sendPointer(event),
      cancel: () => this.board.cancel(),
      pointerAt: (at: Vec | null, held: boolean) => {
        this.held = held
        this.pointer = at
        if (at) this.cursor = null
        else this.board.setHover(null)
        if (kindDrawn(this.board.tool) !== null || held || !at) this.redraw('live')
      },
      grabbing: (on: boolean) => {
        this.grabbed = on
        this.showCursor()
      },
    }
  }

  /** Control borrows the select tool for one press, whatever tool is in hand. */
  private sendPointer(event: PointerNews): void {
    const { board } = this
    if (event.type === 'down' && event.mods.ctrl && kindDrawn(board.tool) !== null && !board.busy) {
      this.borrowed = board.tool
      board.setTool(selectTool.name as ToolName)
    }
    board.send(event)
    if (event.type === 'up' && this.borrowed) {
      const back = this.borrowed
      this.borrowed = null
      board.setTool(back)
    }
  }

  private tellProblem(code: PictureProblem, natural: Size | null, image: ImageSource): void {
    const message =
      code === 'size' && natural
        ? say('image.error.size', { w: natural.w, h: natural.h, tw: image.width, th: image.height })
        : say(`image.error.${code}`)
    this.events.emit('error', { code, message })
  }

  // ---- room and camera ----

  private measure(): void {
    const w = this.element.clientWidth
    const h = this.element.clientHeight
    const dpr = window.devicePixelRatio || 1
    if (w === this.room.w && h === this.room.h && dpr === this.dpr) return
    const middle = toMedia(this.camera, { x: this.room.w / 2, y: this.room.h / 2 })
    this.room = { w, h }
    this.dpr = dpr
    for (const one of Object.values(this.canvases)) {
      one.width = Math.max(1, Math.round(w * dpr))
      one.height = Math.max(1, Math.round(h * dpr))
    }
    for (const one of Object.values(this.contexts)) one.setTransform(dpr, 0, 0, dpr, 0, 0)
    this.stills.tags.reset(dpr)
    this.stills.invalidate()
    if (this.fitted) this.fit()
    else this.moveCamera({ ...this.camera, x: middle.x - w / 2 / this.camera.zoom, y: middle.y - h / 2 / this.camera.zoom })
    this.redraw('picture')
    this.redraw('stills')
    this.redraw('live')
    // a cleared canvas must not be seen: resizing shows the new drawing in the same frame
    this.frame.flush()
  }

  private readTheme(): void {
    const style = getComputedStyle(this.element)
    this.accent = style.getPropertyValue('--image-accent').trim() || style.getPropertyValue('--accent').trim() || this.accent
    this.redraw('live')
  }

  private moveCamera(next: Camera): void {
    this.camera = keepInSight(next, this.board.size, this.room)
    this.fitted = false
    this.cameraMoved()
  }

  /** Not smaller than a quarter of the whole, nor of its own size. */
  private zoomAround(at: Vec, zoom: number): void {
    const least = Math.min(1, fit(this.whole, this.room).zoom) / 4
    this.moveCamera(zoomAt(this.camera, at, zoom, least))
  }

  private cameraMoved(): void {
    const zoom = this.board.zoom
    this.board.zoom = this.camera.zoom
    this.redraw('picture')
    this.redraw('stills')
    this.redraw('live')
    this.events.emit('camera', this.camera)
    if (zoom !== this.camera.zoom) this.events.emit('change', null)
  }

  private get whole() {
    return { x: 0, y: 0, w: this.board.size.w, h: this.board.size.h }
  }

  fit(): void {
    // small pictures grow, but not beyond recognition
    this.camera = fit(this.whole, this.room, Math.min(24, this.room.w / 20), 8)
    this.fitted = true
    this.cameraMoved()
  }

  zoomTo(what: number | 'actual' | 'selection'): void {
    const box = what === 'selection' ? this.selectionBox() : null
    if (what === 'selection' && !box) return
    if (box) this.moveCamera(fit(box, this.room, Math.min(this.room.w, this.room.h) / 4, 16))
    else this.zoomAround(this.middle(), typeof what === 'number' ? what : 1)
  }

  zoomBy(factor: number): void {
    this.zoomAround(this.pointer ?? this.middle(), this.camera.zoom * factor)
  }

  getZoom(): number {
    return this.camera.zoom
  }

  reveal(): void {
    const box = this.selectionBox()
    if (!box) return
    const next = reveal(this.camera, box, this.room)
    if (next.x !== this.camera.x || next.y !== this.camera.y || next.zoom !== this.camera.zoom) this.moveCamera(next)
  }

  private middle(): Vec {
    return { x: this.room.w / 2, y: this.room.h / 2 }
  }

  private selectionBox() {
    return unionAll(this.board.selectedShapes().map((a) => kindOf(a).bounds(a)))
  }

  toScreen(at: Vec): Vec {
    return toScreen(this.camera, at)
  }

  toMedia(at: Vec): Vec {
    return toMedia(this.camera, at)
  }

  // ---- drawing ----

  private redraw(layer: 'picture' | 'stills' | 'live'): void {
    this.due[layer] = true
    this.frame.request()
  }

  flush(): void {
    this.frame.flush()
  }

  private draw(): void {
    if (this.room.w === 0 || this.room.h === 0) return
    const { due, board, camera, room } = this
    this.due = { picture: false, stills: false, live: false }
    if (due.picture) this.drawPicture()
    const lifted = this.lifted()
    if (due.stills || due.live) {
      this.drawStills(lifted)
    }
    if (due.live || due.stills) {
      drawLive(this.contexts.live, {
        board,
        look: this.look,
        tags: this.stills.tags,
        picture: this.picture,
        camera,
        room,
        pointer: this.cursor ?? (this.pointer ? toMedia(camera, this.pointer) : null),
        byKeyboard: this.cursor !== null,
        held: this.held,
        accent: this.accent,
      })
    }
  }

  /** While the hand moves the camera over thousands of shapes, the last drawing is moved; it is drawn anew at rest. */
  private drawStills(lifted: ReadonlySet<string>): void {
    const { board, camera, room, stills } = this
    const { style } = this.canvases.stills
    if (this.coasting && stills.heavy && this.changed?.size === 0) {
      style.transform = stills.towards(camera)
      return
    }
    if (style.transform !== '') style.transform = ''
    if (this.changed === null) stills.invalidate()
    stills.draw(board.scene, camera, room, this.changed ?? new Set(), lifted)
    this.changed = new Set()
  }

  /** The camera is moved by hand: it has come to rest when nothing more is heard for a moment. */
  private coast(): void {
    this.coasting?.()
    this.coasting = this.scope.timeout(() => {
      this.coasting = null
      this.redraw('stills')
    }, REST_ms)
  }

  private drawPicture(): void {
    const context = this.contexts.picture
    context.clearRect(0, 0, this.room.w, this.room.h)
    const more = this.picture.draw(context, this.camera, this.room, this.dpr)
    if (more) this.scope.timeout(() => this.redraw('picture'), 0)
  }

  /** Shapes that the live layer draws in another place than the scene has them. */
  private lifted(): ReadonlySet<string> {
    const { preview, scene } = this.board
    if (preview.shift) return preview.shift.ids
    const ghosts = (preview.ghosts ?? []).filter((g) => scene.has(g.id))
    return new Set(ghosts.map((g) => g.id))
  }

  private showCursor(): void {
    const cursor = this.grabbed ? 'grabbing' : this.spaceHeld || this.board.tool === 'pan' ? 'grab' : this.board.cursor
    const hidden = cursor === 'crosshair' && kindDrawn(this.board.tool) !== null
    const shown = hidden ? 'none' : cursor
    if (this.canvases.live.style.cursor !== shown) this.canvases.live.style.cursor = shown
  }

  setAdjust(adjust: Partial<Adjust>): void {
    const brightness = clamp(adjust.brightness ?? this.adjust.brightness, 0.2, 3)
    const contrast = clamp(adjust.contrast ?? this.adjust.contrast, 0.2, 3)
    this.adjust = { brightness, contrast }
    // the compositor does it: shapes keep their colours and nothing is drawn again
    this.canvases.picture.style.filter = brightness === 1 && contrast === 1 ? '' : `brightness(${brightness}) contrast(${contrast})`
    this.events.emit('change', null)
  }

  getAdjust(): Adjust {
    return this.adjust
  }

  // ---- keyboard ----

  key(event: KeyboardEvent): boolean {
    if (event.isComposing || event.defaultPrevented) return false
    const used = pressKey({ key: event.key, mods: modsOf(event), repeat: event.repeat }, this)
    if (used && event.key.startsWith('Arrow')) this.redraw('live')
    return used
  }

  private keyUp(event: KeyboardEvent): void {
    if (event.key === ' ') this.letGo()
  }

  private letGo(): void {
    if (!this.spaceHeld) return
    this.spaceHeld = false
    this.showCursor()
  }

  holdSpace(): void {
    this.spaceHeld = true
    this.showCursor()
  }

  cursorInUse(): boolean {
    return this.cursor !== null
  }

  moveCursor(dx: number, dy: number): void {
    const { w, h } = this.board.size
    const from = this.cursor ?? (this.pointer ? toMedia(this.camera, this.pointer) : toMedia(this.camera, this.middle()))
    // on a picture shown small, one step is at least one screen pixel
    const step = Math.max(1, Math.round(1 / this.camera.zoom))
    this.cursor = { x: clamp(Math.round(from.x) + dx * step, 0, w), y: clamp(Math.round(from.y) + dy * step, 0, h) }
    this.keepCursorInView()
    this.board.send(this.cursorNews('move', NO_MODS))
    this.speaker.cursor(this.cursor)
    this.redraw('live')
  }

  private keepCursorInView(): void {
    if (!this.cursor) return
    const next = reveal(this.camera, { ...this.cursor, w: 0, h: 0 }, this.room)
    if (next.x !== this.camera.x || next.y !== this.camera.y) this.moveCamera(next)
  }

  private cursorNews(type: PointerNews['type'], mods: Mods): PointerNews {
    return { type, at: this.cursor ?? { x: 0, y: 0 }, mods: { ...mods, alt: true }, by: 'key', clicks: type === 'down' ? 1 : 0 }
  }

  placeAtCursor(mods: Mods): void {
    this.board.send(this.cursorNews('down', mods))
    this.board.send(this.cursorNews('up', mods))
    this.speaker.placed(this.cursor)
    this.redraw('live')
  }

  private hideKeyboardCursor(): void {
    if (!this.cursor) return
    this.cursor = null
    this.redraw('live')
  }

  chooseClass(): void {
    this.askForClass()
  }

  askForClass(): void {
    const ids = this.board.selectedShapes().map((a) => a.id)
    if (ids.length > 0 && !this.board.readOnly) this.events.emit('needsClass', { ids, at: this.placeForPicker(ids) })
  }

  /** Beside the pointer if it is at the shape, else at the shape. */
  private placeForPicker(ids: readonly string[]): Vec {
    const first = this.board.scene.find(ids[0] ?? '')
    if (this.pointer) return this.pointer
    if (!first || !isSpatial(first)) return this.middle()
    const at = toScreen(this.camera, centre(kindOf<SpatialAnnotation>(first).bounds(first)))
    return { x: clamp(at.x, 0, this.room.w), y: clamp(at.y, 0, this.room.h) }
  }

  // ---- the rest of the handle ----

  on<K extends keyof ImageSurfaceEvents>(type: K, listener: (news: ImageSurfaceEvents[K]) => void): Release {
    return this.events.on(type, listener)
  }

  setTool(name: ToolName): void {
    this.borrowed = null
    this.board.setTool(name)
  }

  setScene(annotations: readonly Annotation[], history?: unknown): void {
    this.board.load(annotations, historyOf(history, annotations))
  }

  apply(edits: readonly Edit<Annotation>[], mark: MarkName): void {
    this.board.perform(edits, mark)
  }

  undo(): boolean {
    return this.board.undo()
  }

  redo(): boolean {
    return this.board.redo()
  }

  getSelection(): ReadonlySet<string> {
    return this.board.selection
  }

  setSelection(ids: Iterable<string>, show = false): void {
    this.board.select(ids)
    if (show) this.reveal()
  }

  setSize(ids: readonly string[], size: Partial<Size>): boolean {
    return setSize(this.board, ids, size)
  }

  exportState(): SurfaceState {
    const { board } = this
    return {
      annotations: board.scene.items(),
      history: store(board.history),
      camera: this.camera,
      selection: [...board.selection],
      tool: board.tool,
    }
  }

  focus(): void {
    this.canvases.live.focus({ preventScroll: true })
  }

  dispose(): void {
    this.board.cancel()
    this.scope.dispose()
  }
}

const canvas = (): HTMLCanvasElement => document.createElement('canvas')

function contextOf(element: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = element.getContext('2d')
  if (!context) throw new Error('This browser offers no 2D canvas.')
  return context
}
