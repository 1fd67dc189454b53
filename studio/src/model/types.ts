/**
 * The shapes that travel between the server and the studio, strictly as in the contract.
 * Coordinates are pixels of the full-size, EXIF-upright image: origin top-left, x right, y down.
 * Text offsets are Unicode code points, half open.
 */

export type AttributeValue = string | number | boolean | readonly string[]
export type Attributes = Readonly<Record<string, AttributeValue>>
export type XY = readonly [number, number]

interface Common {
  /** 1-64 of [A-Za-z0-9_-], made by the client, unique in the answer. */
  readonly id: string
}

/** Kinds that carry a class from the ontology. */
interface Classed extends Common {
  readonly class: string
  readonly attributes?: Attributes
}

export interface BoxAnnotation extends Classed {
  readonly kind: 'box'
  /** Those of the unrotated box; w, h > 0. */
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
  /** Clockwise about the centre; absent = 0. */
  readonly angle_rad?: number
}

export interface PolygonAnnotation extends Classed {
  readonly kind: 'polygon'
  /** At least 3. */
  readonly points: readonly XY[]
}

export interface LineAnnotation extends Classed {
  readonly kind: 'line'
  /** At least 2. */
  readonly points: readonly XY[]
}

export interface PointAnnotation extends Classed {
  readonly kind: 'point'
  readonly x: number
  readonly y: number
}

export interface SpanAnnotation extends Classed {
  readonly kind: 'span'
  readonly start: number
  readonly end: number
}

export interface ChoiceAnnotation extends Common {
  readonly kind: 'choice'
  readonly field: string
  /** At least 1, unique. */
  readonly values: readonly string[]
}

export interface TextAnnotation extends Common {
  readonly kind: 'text'
  readonly field: string
  readonly text: string
  /** Answer id. */
  readonly target?: string
}

export interface RatingAnnotation extends Common {
  readonly kind: 'rating'
  readonly field: string
  readonly value: number
  /** Answer id. */
  readonly target?: string
}

export interface PreferenceAnnotation extends Common {
  readonly kind: 'preference'
  readonly field: string
  /** Answer id, or null for a tie. */
  readonly winner: string | null
  /** 0 if and only if winner is null. */
  readonly strength: 0 | 1 | 2 | 3
}

export type SpatialAnnotation = BoxAnnotation | PolygonAnnotation | LineAnnotation | PointAnnotation
export type ClassedAnnotation = SpatialAnnotation | SpanAnnotation
export type FieldAnnotation = ChoiceAnnotation | TextAnnotation | RatingAnnotation | PreferenceAnnotation
export type Annotation = ClassedAnnotation | FieldAnnotation

export type Kind = Annotation['kind']
export type SpatialKind = SpatialAnnotation['kind']
export type AnnotationOf<K extends Kind> = Extract<Annotation, { kind: K }>

export interface Answer {
  readonly annotations: readonly Annotation[]
}

// ---- ontology ----

export interface OntologyClass {
  readonly name: string
  /** #rrggbb */
  readonly color?: string
  /** One character. */
  readonly hotkey?: string
  readonly kinds: readonly Kind[]
  readonly title?: string
  /** Absent = all attributes. */
  readonly attributes?: readonly string[]
}

/** When an attribute or a field applies: see conditions.ts. Attributes know of classes and attributes, fields of fields. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly class: readonly string[] }
  /** Without `in`: answered at all. */
  | { readonly attribute: string; readonly in?: readonly (string | number | boolean)[] }
  | { readonly field: string; readonly in?: readonly (string | number | boolean)[] }

export interface OntologyAttribute {
  readonly name: string
  readonly type: 'choice' | 'number' | 'text' | 'boolean'
  readonly title?: string
  readonly choices?: readonly string[]
  readonly multiple?: boolean
  readonly required?: boolean
  readonly when?: Condition
}

export interface FieldChoice {
  readonly value: string
  readonly label?: string
  readonly hotkey?: string
}

export interface OntologyField {
  readonly key: string
  /** number fields are answered with kind "rating". */
  readonly type: 'choice' | 'text' | 'number' | 'rating' | 'preference'
  readonly title?: string
  readonly hint?: string
  readonly choices?: readonly FieldChoice[]
  readonly multiple?: boolean
  readonly required?: boolean
  readonly min?: number
  readonly max?: number
  readonly step?: number
  /** answers: asked once for each answer. */
  readonly target?: 'task' | 'answers'
  readonly long?: boolean
  /** rewrite */
  readonly prefill?: 'answer'
  readonly when?: Condition
}

export interface BoxLimits {
  readonly min_w?: number
  readonly min_h?: number
  readonly can_rotate?: boolean
}

export interface PathLimits {
  readonly min_points?: number
  readonly max_points?: number
}

export interface Limits {
  readonly box?: BoxLimits
  readonly polygon?: PathLimits
  readonly line?: PathLimits
}

export interface Ontology {
  readonly classes: readonly OntologyClass[]
  readonly attributes: readonly OntologyAttribute[]
  readonly fields: readonly OntologyField[]
  readonly limits?: Limits
}

// ---- task ----

export type Medium = 'image' | 'text' | 'conversation' | 'none'

export interface TaskImage {
  readonly url: string
  readonly thumb_url: string
  readonly width: number
  readonly height: number
  readonly name: string
}

export interface ConversationMessage {
  readonly role: string
  readonly text: string
}

export interface ConversationAnswer {
  readonly id: string
  readonly text: string
  readonly title?: string
}

export interface Conversation {
  readonly messages: readonly ConversationMessage[]
  readonly answers: readonly ConversationAnswer[]
}

export interface TaskReference {
  readonly url: string
  readonly name: string
}

interface TaskCommon {
  readonly name?: string
  readonly prelabels?: readonly Annotation[]
  /** Markdown. */
  readonly context?: string
  readonly references?: readonly TaskReference[]
}

export interface ImageTaskData extends TaskCommon {
  readonly medium: 'image'
  readonly image: TaskImage
}

export interface TextTaskData extends TaskCommon {
  readonly medium: 'text'
  readonly text: string
}

export interface ConversationTaskData extends TaskCommon {
  readonly medium: 'conversation'
  readonly conversation: Conversation
}

export interface PlainTaskData extends TaskCommon {
  readonly medium: 'none'
}

export type TaskData = ImageTaskData | TextTaskData | ConversationTaskData | PlainTaskData
