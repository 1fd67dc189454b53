/**
 * `mountImage(host, options)` puts a picture with its shapes into a host element and gives a handle. The handle owns all
 * that it made; `dispose` leaves the host as it was. Panels talk to `handle.board` and listen to `handle.on`.
 */
import type { Camera } from '../../kernel/camera'
import type { Edit } from '../../kernel/edits'
import type { StoredMark } from '../../kernel/history'
import type { Scene } from '../../kernel/scene'
import type { Release } from '../../kernel/scope'
import type { Size, Vec } from '../../kernel/vec'
import type { Annotation, Ontology } from '../../model/types'
import type { Board, MarkName, Performed } from './board'
import type { Clipboard } from './commands'
import { Mounted } from './mounted'
import type { PictureProblem } from './picture'
import type { ToolName } from './tools/list'

export interface ImageSource {
  readonly url: string
  readonly width: number
  readonly height: number
  readonly name: string
}

export interface ImageSurfaceOptions {
  readonly image: ImageSource
  readonly ontology: Ontology
  readonly annotations?: readonly Annotation[]
  /** As given by `exportState().history`; one that does not fit the annotations is left out. */
  readonly history?: unknown
  readonly readOnly?: boolean
  readonly newId?: () => string
  /** Share one between the tasks of a project, never across projects. */
  readonly clipboard?: Clipboard
  /** What the wheel does without a key held; Control always zooms. */
  readonly wheel?: 'zoom' | 'pan'
}

export interface Adjust {
  /** 1 = as it is; 0.2 to 3. */
  readonly brightness: number
  readonly contrast: number
}

export interface NeedsClass {
  readonly ids: readonly string[]
  /** CSS pixels from the host's top left. */
  readonly at: Vec
}

export interface ImageSurfaceEvents {
  edits: Performed & { readonly scene: Scene<Annotation> }
  selection: ReadonlySet<string>
  /** A shape was drawn and its class is to be chosen, or Enter asked for another class. */
  needsClass: NeedsClass
  tool: ToolName
  camera: Camera
  ready: null
  error: { readonly code: PictureProblem; readonly message: string }
  /** Anything a panel shows: selection, scene, tool, class, zoom. */
  change: null
}

export interface SurfaceState {
  readonly annotations: readonly Annotation[]
  readonly history: readonly StoredMark<Annotation>[]
  readonly camera: Camera
  readonly selection: readonly string[]
  readonly tool: ToolName
}

export interface ImageSurface {
  readonly board: Board
  readonly element: HTMLElement
  readonly clipboard: Clipboard
  on<K extends keyof ImageSurfaceEvents>(type: K, listener: (news: ImageSurfaceEvents[K]) => void): Release
  setTool(name: ToolName): void
  /** Another answer altogether; `apply` is for edits. */
  setScene(annotations: readonly Annotation[], history?: unknown): void
  apply(edits: readonly Edit<Annotation>[], mark: MarkName): void
  undo(): boolean
  redo(): boolean
  getSelection(): ReadonlySet<string>
  /** `show` brings the shapes into view. */
  setSelection(ids: Iterable<string>, show?: boolean): void
  setSize(ids: readonly string[], size: Partial<Size>): boolean
  fit(): void
  /** A zoom factor (1 = pixel for pixel) or the selection. */
  zoomTo(what: number | 'actual' | 'selection'): void
  zoomBy(factor: number): void
  getZoom(): number
  setAdjust(adjust: Partial<Adjust>): void
  getAdjust(): Adjust
  /** A key pressed elsewhere on the page. True when it was used. */
  key(event: KeyboardEvent): boolean
  askForClass(): void
  /** Media pixels to CSS pixels from the host's top left. */
  toScreen(at: Vec): Vec
  toMedia(at: Vec): Vec
  exportState(): SurfaceState
  focus(): void
  /** Draws at once what waits for the next frame. */
  flush(): void
  dispose(): void
}

export function mountImage(host: HTMLElement, options: ImageSurfaceOptions): ImageSurface {
  return new Mounted(host, options)
}
