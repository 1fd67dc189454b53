/** What tools of the image surface are given and what they show before it is an edit. */
import type { Step, Tool, ToolContext } from '../../../kernel/tool'
import type { Rect, Size, Vec } from '../../../kernel/vec'
import type { Annotation, Ontology, SpatialAnnotation, SpatialKind, XY } from '../../../model/types'

export interface ImageContext extends ToolContext<Annotation> {
  /** Of the medium. */
  readonly size: Size
  readonly ontology: Ontology
  /** The class that the next shape of a kind gets; '' = ask afterwards. */
  classFor(kind: SpatialKind): string
  /** Shapes of hidden classes are neither hit nor snapped to. */
  visible(a: Annotation): boolean
  /** The rotation knob is shown. */
  readonly turning: boolean
  /** The vertex that Delete removes. */
  readonly vertex: number | null
  readonly readOnly: boolean
}

/** A line along which something snapped, across the view. */
export interface Guide {
  readonly axis: 'x' | 'y'
  readonly at: number
}

export interface Preview {
  /** Shapes as they would be: new ones, or in place of those in the scene with the same id. */
  readonly ghosts?: readonly SpatialAnnotation[]
  /** Many shapes on the move: cheaper than a ghost each. */
  readonly shift?: { readonly ids: ReadonlySet<string>; readonly dx: number; readonly dy: number }
  readonly marquee?: Rect
  readonly guides?: readonly Guide[]
  /** A path in the making; `end` follows the pointer. */
  readonly path?: {
    readonly points: readonly XY[]
    readonly end: Vec | null
    readonly closed: boolean
    /** The pointer is over the first vertex: a click closes. */
    readonly closing: boolean
    readonly class: string
  }
  /** Where a vertex would be inserted. */
  readonly insert?: Vec
  /** Where snapping took the pointer. */
  readonly snapped?: Vec
  readonly hover?: string
  /** The vertex that Delete removes, from now on. */
  readonly vertex?: number | null
}

export type ImageTool<S> = Tool<S, Preview, Annotation, ImageContext>
export type ImageStep<S> = Step<S, Preview, Annotation>

/** A drag shorter than this is a click, screen pixels. */
export const SLOP = 3

/** How near counts as "on it", screen pixels. */
export const reach = (by: 'mouse' | 'pen' | 'touch' | 'key'): number => (by === 'touch' ? 16 : by === 'pen' ? 9 : 6)
