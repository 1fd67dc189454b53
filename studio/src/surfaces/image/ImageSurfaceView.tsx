import { useCallback, useEffect, useRef, useState } from 'react'
import { classesFor } from '../../kinds/list'
import type { Size, Vec } from '../../kernel/vec'
import type { Annotation, Ontology, OntologyClass } from '../../model/types'
import { ClassPicker } from './ClassPicker'
import { type Clipboard, classify } from './commands'
import { type ImageSource, type ImageSurface, type ImageSurfaceEvents, mountImage } from './surface'
import { ToolRail } from './ToolRail'
import type { ToolName } from './tools/list'
import { say } from './words'
import './ImageSurfaceView.css'

export interface ImageSurfaceViewProps {
  image: ImageSource
  ontology: Ontology
  /** At mount. Another `taskKey` mounts anew; edits come out by `onEdits`. */
  annotations: readonly Annotation[]
  /** `surface.exportState().history` of a draft: undo works across reloads. */
  history?: unknown
  /** Identity of what is shown: task handle plus whatever should begin afresh. */
  taskKey?: string
  readOnly?: boolean
  clipboard?: Clipboard
  wheel?: 'zoom' | 'pan'
  /** The tool in hand at mount. */
  tool?: ToolName
  /** Keys work wherever the focus is, unless somebody types or a dialog is open. Default true. */
  globalKeys?: boolean
  /** The handle, for panels beside the picture; null when it goes. */
  onSurface?(surface: ImageSurface | null): void
  onEdits?(news: ImageSurfaceEvents['edits'], surface: ImageSurface): void
  onSelection?(ids: ReadonlySet<string>): void
  onError?(error: ImageSurfaceEvents['error']): void
  onReady?(): void
}

interface Asking {
  /** Empty = arm a class for the next shape. */
  readonly ids: readonly string[]
  readonly at: Vec
  readonly offered: readonly OntologyClass[]
}

const TYPING = 'input, textarea, select, [contenteditable=""], [contenteditable="true"], [role="dialog"], [role="menu"], [role="listbox"], [role="combobox"]'

/** The picture with its tool rail and the class picker beside the cursor. Fills the room it is given. */
export function ImageSurfaceView(props: ImageSurfaceViewProps) {
  const { ontology } = props
  const { room, surface, asking, setAsking, state, error } = useMountedImage(props)

  useEffect(() => {
    if (surface && surface.board.ontology !== ontology) surface.board.setOntology(ontology)
  }, [surface, ontology])

  useGlobalKeys(surface, props.globalKeys ?? true)

  const close = useCallback(() => {
    setAsking(null)
    surface?.focus()
  }, [surface])

  const choose = (name: string) => {
    if (!surface || !asking) return
    if (asking.ids.length > 0) classify(surface.board, asking.ids, name)
    else surface.board.arm(name)
    close()
  }

  const arm = () => {
    if (!surface) return
    if (surface.board.activeClass !== null) surface.board.setActiveClass(null)
    else setAsking({ ids: [], at: { x: -8, y: 200 }, offered: surface.board.ontology.classes })
  }

  return (
    <div className="eh-image-view">
      {surface ? <ToolRail surface={surface} onArm={arm} /> : <div className="eh-tool-rail" />}
      <div className="eh-image-room" ref={room}>
        {error ? (
          <div className="eh-image-note" role="alert">
            {error.message}
          </div>
        ) : state === 'loading' ? (
          <Later>
            <div className="eh-image-note">{say('image.loading')}</div>
          </Later>
        ) : null}
        {asking && surface ? (
          <ClassPicker
            key={asking.ids.join()}
            classes={ontology.classes}
            offered={asking.offered}
            recent={surface.board.recentClasses}
            at={asking.at}
            room={sizeOf(room.current)}
            onChoose={choose}
            onClose={close}
          />
        ) : null}
      </div>
    </div>
  )
}

/** The picture in its room: mounted anew for another task, let go of at the end. */
function useMountedImage(props: ImageSurfaceViewProps) {
  const { image, taskKey } = props
  const room = useRef<HTMLDivElement>(null)
  const [surface, setSurface] = useState<ImageSurface | null>(null)
  const [asking, setAsking] = useState<Asking | null>(null)
  const [state, setState] = useState<'loading' | 'ready'>('loading')
  const [error, setError] = useState<ImageSurfaceEvents['error'] | null>(null)
  const latest = useRef(props)
  latest.current = props

  useEffect(() => {
    const host = room.current
    if (!host) return
    const now = latest.current
    const mounted = mountImage(host, {
      image: now.image,
      ontology: now.ontology,
      annotations: now.annotations,
      history: now.history,
      readOnly: now.readOnly ?? false,
      ...(now.clipboard ? { clipboard: now.clipboard } : {}),
      ...(now.wheel ? { wheel: now.wheel } : {}),
    })
    setState('loading')
    setError(null)
    setAsking(null)
    mounted.on('edits', (news) => latest.current.onEdits?.(news, mounted))
    mounted.on('selection', (ids) => latest.current.onSelection?.(ids))
    mounted.on('ready', () => {
      setState('ready')
      latest.current.onReady?.()
    })
    mounted.on('error', (problem) => {
      setError(problem)
      latest.current.onError?.(problem)
    })
    mounted.on('camera', () => setAsking((old) => (old && old.ids.length > 0 ? null : old)))
    mounted.on('needsClass', ({ ids, at }) => setAsking(question(mounted, ids, at)))
    if (now.tool) mounted.setTool(now.tool)
    setSurface(mounted)
    latest.current.onSurface?.(mounted)
    return () => {
      latest.current.onSurface?.(null)
      mounted.dispose()
      setSurface(null)
    }
  }, [image.url, taskKey])

  return { room, surface, asking, setAsking, state, error }
}

function question(surface: ImageSurface, ids: readonly string[], at: Vec): Asking | null {
  const { board } = surface
  const kinds = new Set(ids.flatMap((id) => board.scene.find(id)?.kind ?? []))
  const offered = board.ontology.classes.filter((c) => [...kinds].some((kind) => classesFor(board.ontology, kind).includes(c)))
  return offered.length === 0 ? null : { ids, at, offered }
}

const sizeOf = (element: HTMLElement | null): Size => ({ w: element?.clientWidth ?? 0, h: element?.clientHeight ?? 0 })

/** Not shown for what takes a moment only. */
function Later({ children }: { children: React.ReactNode }) {
  const [due, setDue] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), 300)
    return () => clearTimeout(timer)
  }, [])
  return due ? children : null
}

function useGlobalKeys(surface: ImageSurface | null, on: boolean): void {
  useEffect(() => {
    if (!surface || !on) return
    const press = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : null
      if (event.defaultPrevented || target?.closest(TYPING)) return
      // buttons keep the keys that press them
      if (target?.closest('button, a, summary, [role="tree"]') && [' ', 'Enter', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].includes(event.key)) return
      if (document.querySelector('[role="dialog"][aria-modal="true"]')) return
      if (surface.key(event)) event.preventDefault()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [surface, on])
}
