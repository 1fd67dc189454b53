/** The text with its labels. What can be done with it is in controller.ts; this file shows it and listens. */
import { memo, useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type CSSProperties, type PointerEvent as ReactPointerEvent } from 'react'
import { classStyles, type ClassStyle } from '../../kinds/palette'
import type { SpanAnnotation } from '../../model/types'
import { GHOST, type TextController } from './controller'
import { textKeys } from './keys'
import { chunkAt, segmentsOf, type Chunk, type Segment } from './layout'
import type { TextIndex } from './offsets'
import { caretRect, domAt, unitsAt, unitsFromPoint } from './place'
import { say } from './phrases'
import { SpanPicker } from './SpanPicker'
import './TextSurface.css'

export function useText(controller: TextController): void {
  const both = useCallback(
    (listener: () => void) => {
      const offs = [controller.on(listener), controller.document.on(listener)]
      return () => offs.forEach((off) => off())
    },
    [controller],
  )
  const version = useRef<{ state: unknown; annotations: unknown }>({ state: null, annotations: null })
  useSyncExternalStore(both, () => {
    const now = version.current
    if (now.state !== controller.state || now.annotations !== controller.document.annotations) {
      version.current = { state: controller.state, annotations: controller.document.annotations }
    }
    return version.current
  })
}

export function TextSurface({ controller, name }: { readonly controller: TextController; readonly name: string }) {
  useText(controller)
  const scroller = useRef<HTMLDivElement>(null)
  const root = useRef<HTMLDivElement>(null)
  const help = useId()
  const styleOf = useMemo(() => classStyles(controller.ontology.classes), [controller])
  const { state, plan } = controller
  useNativeSelection(controller, root)
  useSelectionByPointer(controller, root)
  useReveal(controller, root)
  const marks = useMarks(controller, root, scroller)
  useEffect(() => {
    // The next task is under the hands at once; not when somebody is already typing elsewhere.
    if (!document.activeElement || document.activeElement === document.body) scroller.current?.focus({ preventScroll: true })
  }, [controller])
  return (
    <div className="eh-text">
      <div
        className="eh-text-scroll"
        ref={scroller}
        role="application"
        aria-label={say('text.name', { name })}
        aria-describedby={help}
        tabIndex={0}
        data-eh-surface="text"
        onKeyDown={(event) => textKeys(controller, event, root.current)}
      >
        <div className={state.armed ? 'eh-text-page eh-text-armed' : 'eh-text-page'} ref={root} onClick={(event) => chooseByClick(controller, root.current, event)}>
        {controller.chunks.map((chunk, i) => (
          <ChunkView key={chunk.key} index={controller.index} chunk={chunk} spans={plan.byChunk[i] ?? NO_SPANS} lanes={plan.lanes} differing={plan.differing} chosen={chosenIn(plan.byChunk[i], state.chosen)} styleOf={styleOf} />
        ))}
        {marks.caret ? <span className="eh-text-caret" aria-hidden="true" style={marks.caret} /> : null}
        {marks.ends.map((end) => (
          <Grip key={end.which} controller={controller} which={end.which} style={end.style} root={root} />
        ))}
        </div>
      </div>
      {state.picking && marks.picker ? (
        <SpanPicker controller={controller} styleOf={styleOf} at={marks.picker} onDone={() => scroller.current?.focus({ preventScroll: true })} />
      ) : null}
      <p id={help} className="eh-sr">
        {say('text.help')}
      </p>
      <p className="eh-sr" role="status" aria-live="polite">
        {state.said}
      </p>
    </div>
  )
}

const NO_SPANS: readonly SpanAnnotation[] = []

function chosenIn(spans: readonly SpanAnnotation[] | undefined, chosen: string | null): string | null {
  return chosen !== null && spans?.some((span) => span.id === chosen) ? chosen : null
}

function chooseByClick(controller: TextController, root: Element | null, event: { readonly target: EventTarget; readonly clientX: number; readonly clientY: number }): void {
  const target = event.target as Element
  const tag = target.closest('[data-span]')?.getAttribute('data-span')
  if (tag) return tag.startsWith(GHOST) ? undefined : controller.choose(tag)
  if (!root || !target.closest('[data-covered]') || controller.selection()) return
  const units = unitsFromPoint(root, event.clientX, event.clientY)
  if (units !== null) controller.chooseAt(controller.index.toPoints(units))
}

// ---- rows ----

interface ChunkProps {
  readonly index: TextIndex
  readonly chunk: Chunk
  readonly spans: readonly SpanAnnotation[]
  readonly lanes: ReadonlyMap<string, number>
  readonly differing: ReadonlySet<string>
  readonly chosen: string | null
  readonly styleOf: (name: string) => ClassStyle
}

/** Far from sight a chunk is plain text, which costs almost nothing; once near it stays, so that a selection across it is not torn. */
const ChunkView = memo(function ChunkView({ index, chunk, spans, lanes, differing, chosen, styleOf }: ChunkProps) {
  const box = useRef<HTMLDivElement>(null)
  const [near, setNear] = useState(chunk.key < 3)
  useEffect(() => {
    if (near || !box.current) return
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setNear(true), { rootMargin: '1200px 0px' })
    watch.observe(box.current)
    return () => watch.disconnect()
  }, [near])
  const shown = near ? spans : NO_SPANS
  const guess: CSSProperties = { containIntrinsicBlockSize: `auto ${Math.max(chunk.rows.length, Math.ceil(chunk.units / 78)) * 28}px` }
  return (
    <div className="eh-text-chunk" data-c={chunk.key} ref={box} style={guess}>
      {chunk.rows.map((row) => {
        const segments = segmentsOf(index, row, shown, lanes)
        const depth = Math.max(0, ...segments.flatMap((segment) => segment.covers.map((cover) => cover.lane + 1)))
        let units = row.startUnits
        return (
          <div key={row.startUnits} className="eh-text-row" dir="auto" data-r={row.startUnits} style={depth > 1 ? { lineHeight: `${28 + (depth - 1) * 5}px` } : undefined}>
            {segments.map((segment) => {
              const start = units
              units += segment.text.length
              return <Piece key={start} segment={segment} start={start} differing={differing} chosen={chosen} styleOf={styleOf} />
            })}
            {segments.length === 0 ? <br /> : null}
          </div>
        )
      })}
    </div>
  )
}, sameChunk)

function sameChunk(a: ChunkProps, b: ChunkProps): boolean {
  return (
    a.chunk === b.chunk &&
    a.chosen === b.chosen &&
    a.styleOf === b.styleOf &&
    a.spans.length === b.spans.length &&
    a.spans.every((span, i) => span === b.spans[i] && a.lanes.get(span.id) === b.lanes.get(span.id) && a.differing.has(span.id) === b.differing.has(span.id))
  )
}

interface PieceProps {
  readonly segment: Segment
  readonly start: number
  readonly differing: ReadonlySet<string>
  readonly chosen: string | null
  readonly styleOf: (name: string) => ClassStyle
}

function tagClass(id: string, chosen: string | null, differing: ReadonlySet<string>): string {
  const look = id.startsWith(GHOST) ? 'eh-text-tag-ghost' : differing.has(id) ? 'eh-text-tag-differs' : ''
  return ['eh-text-tag', id === chosen ? 'eh-text-tag-chosen' : '', look].filter(Boolean).join(' ')
}

function Piece({ segment, start, differing, chosen, styleOf }: PieceProps) {
  const ends = segment.covers.filter((cover) => cover.last)
  const lit = segment.covers.some((cover) => cover.id === chosen)
  return (
    <>
      <span data-s={start} {...(segment.covers.length ? { 'data-covered': '', className: lit ? 'eh-text-piece eh-text-lit' : 'eh-text-piece', style: underline(segment, chosen, styleOf) } : {})}>
        {segment.text}
      </span>
      {ends.map((cover) => {
        const style = styleOf(cover.class)
        return (
          <span
            key={cover.id}
            className={tagClass(cover.id, chosen, differing)}
            data-span={cover.id}
            data-name={cover.class}
            style={{ '--tag': style.color, '--tag-ink': style.ink } as CSSProperties}
            aria-hidden="true"
          />
        )
      })}
    </>
  )
}

/** Dots: a line that no class has. */
const GHOST_DASH = [2, 2] as const

/** One line under the text for each span, dashed as its class says, with a bracket where the span begins and ends. */
function underline(segment: Segment, chosen: string | null, styleOf: (name: string) => ClassStyle): CSSProperties {
  const images: string[] = []
  const sizes: string[] = []
  const places: string[] = []
  const lay = (image: string, size: string, place: string): void => {
    images.push(image)
    sizes.push(size)
    places.push(place)
  }
  for (const cover of segment.covers) {
    const { color, dash: own } = styleOf(cover.class)
    const dash = cover.id.startsWith(GHOST) ? GHOST_DASH : own
    const thick = cover.id === chosen ? 3 : 2
    const from = `top ${22 + cover.lane * 5}px`
    const line = dash.length ? `repeating-linear-gradient(90deg, ${stripes(color, dash)})` : `linear-gradient(${color}, ${color})`
    lay(line, `100% ${thick}px`, `left 0 ${from}`)
    const cap = `linear-gradient(${color}, ${color})`
    if (cover.first) lay(cap, '2px 5px', `left 0 top ${19 + cover.lane * 5}px`)
    if (cover.last) lay(cap, '2px 5px', `right 0 top ${19 + cover.lane * 5}px`)
  }
  const tint = segment.covers.find((cover) => cover.id === chosen) ?? segment.covers.find((cover) => !cover.id.startsWith(GHOST))
  return {
    backgroundImage: images.join(','),
    backgroundSize: sizes.join(','),
    backgroundPosition: places.join(','),
    '--tint': tint ? styleOf(tint.class).color : 'transparent',
    paddingBottom: `${3 + Math.max(...segment.covers.map((cover) => cover.lane)) * 5}px`,
  } as CSSProperties
}

function stripes(color: string, dash: readonly number[]): string {
  let at = 0
  return dash
    .flatMap((length, i) => {
      const stop = `${i % 2 === 0 ? color : 'transparent'} ${at}px ${at + length}px`
      at += length
      return [stop]
    })
    .join(',')
}

// ---- selection ----

function useNativeSelection(controller: TextController, root: { readonly current: HTMLElement | null }): void {
  const { caret } = controller.state
  useEffect(() => {
    const page = root.current
    if (!page || !caret || caret.by !== 'key') return
    const selection = page.ownerDocument.getSelection()
    const place = (point: number) => domAt(page, controller.index.toUnits(point), chunkAt(controller.chunks, point))
    const anchor = place(caret.anchor)
    const focus = place(caret.focus)
    if (!selection || !anchor || !focus) return
    if (caret.anchor === caret.focus) selection.removeAllRanges()
    else selection.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset)
  }, [controller, root, caret])
}

function useSelectionByPointer(controller: TextController, root: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const page = root.current
    if (!page) return
    let by = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = (): boolean => {
      const selection = page.ownerDocument.getSelection()
      if (!selection?.anchorNode || !selection.focusNode) return false
      const anchor = unitsAt(page, selection.anchorNode, selection.anchorOffset)
      const focus = unitsAt(page, selection.focusNode, selection.focusOffset)
      if (anchor === null || focus === null) return false
      controller.select(controller.index.toPoints(anchor), controller.index.toPoints(focus))
      return anchor !== focus
    }
    const down = (event: PointerEvent): void => {
      by = (event.target as Element).closest('[data-grip]') ? '' : event.pointerType
    }
    const up = (): void => {
      if (by === '' || by === 'touch') return
      by = ''
      // The browser settles the selection after this event.
      requestAnimationFrame(() => read() && controller.finish())
    }
    // A finger makes its selection by long press and two handles, without pointer events: wait until it rests.
    const changed = (): void => {
      if (by !== 'touch') return
      clearTimeout(timer)
      timer = setTimeout(() => read() && controller.finish(), 450)
    }
    // Two taps on a word: no handles, no waiting.
    const twice = (event: MouseEvent): void => {
      if (by !== 'touch') return
      const units = unitsFromPoint(page, event.clientX, event.clientY)
      if (units === null) return
      controller.selectWord(controller.index.toPoints(units))
      controller.finish()
    }
    page.addEventListener('pointerdown', down)
    page.addEventListener('dblclick', twice)
    window.addEventListener('pointerup', up)
    document.addEventListener('selectionchange', changed)
    return () => {
      clearTimeout(timer)
      page.removeEventListener('pointerdown', down)
      page.removeEventListener('dblclick', twice)
      window.removeEventListener('pointerup', up)
      document.removeEventListener('selectionchange', changed)
    }
  }, [controller, root])
}

function useReveal(controller: TextController, root: { readonly current: HTMLElement | null }): void {
  const { reveal, caret } = controller.state
  useEffect(() => {
    const page = root.current
    if (!page || !caret || caret.by !== 'key') return
    const chunk = chunkAt(controller.chunks, caret.focus)
    const place = domAt(page, controller.index.toUnits(caret.focus), chunk)
    const element = place?.node instanceof Element ? place.node : place?.node.parentElement
    element?.scrollIntoView({ block: 'nearest' })
  }, [controller, root, caret, reveal])
}

// ---- what stands above the text ----

interface Marks {
  readonly caret: CSSProperties | null
  readonly picker: { readonly x: number; readonly y: number; readonly below: boolean } | null
  readonly ends: readonly { readonly which: 'start' | 'end'; readonly style: CSSProperties }[]
}

function useMarks(controller: TextController, root: { readonly current: HTMLElement | null }, scroller: { readonly current: HTMLElement | null }): Marks {
  const [marks, setMarks] = useState<Marks>({ caret: null, picker: null, ends: [] })
  const { caret, picking } = controller.state
  const span = controller.chosenSpan()
  const [width, setWidth] = useState(0)
  useEffect(() => {
    if (!root.current) return
    const watch = new ResizeObserver((entries) => setWidth(entries[0]?.contentRect.width ?? 0))
    watch.observe(root.current)
    return () => watch.disconnect()
  }, [root])
  useLayoutEffect(() => {
    const page = root.current
    if (!page || !scroller.current) return
    const origin = page.getBoundingClientRect()
    const rectOf = (point: number) => caretRect(page, controller.index.toUnits(point), chunkAt(controller.chunks, point))
    const styleAt = (rect: DOMRect): CSSProperties => ({ left: rect.left - origin.left, top: rect.top - origin.top, height: rect.height })
    const focus = caret ? rectOf(caret.focus) : null
    const start = span && !controller.readOnly ? rectOf(span.start) : null
    const end = span && !controller.readOnly ? rectOf(span.end) : null
    const frame = scroller.current.getBoundingClientRect()
    setMarks({
      caret: focus && caret?.by === 'key' ? styleAt(focus) : null,
      picker: picking && focus ? { x: focus.left - frame.left, y: (focus.bottom > frame.top + frame.height * 0.6 ? focus.top : focus.bottom) - frame.top, below: focus.bottom <= frame.top + frame.height * 0.6 } : null,
      ends: [...(start ? [{ which: 'start' as const, style: styleAt(start) }] : []), ...(end ? [{ which: 'end' as const, style: styleAt(end) }] : [])],
    })
  }, [controller, root, scroller, caret, picking, span, width])
  return marks
}

function Grip({ controller, which, style, root }: { readonly controller: TextController; readonly which: 'start' | 'end'; readonly style: CSSProperties; readonly root: { readonly current: HTMLElement | null } }) {
  const drag = (event: ReactPointerEvent<HTMLElement>): void => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || !root.current) return
    const grip = event.currentTarget
    // What lies under the grip is wanted, not the grip.
    grip.style.pointerEvents = 'none'
    const units = unitsFromPoint(root.current, event.clientX, event.clientY)
    grip.style.pointerEvents = ''
    if (units !== null) controller.setEnd(which, controller.index.toPoints(units))
  }
  return (
    <span
      className={`eh-text-grip eh-text-grip-${which}`}
      data-grip={which}
      style={style}
      aria-hidden="true"
      onPointerDown={(event) => {
        event.preventDefault()
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={drag}
    />
  )
}
