/** The picture on the stage, and the faint shapes of another answer above it. */
import { useEffect, useMemo, useRef, useState } from 'react'
import { isSpatial, kindOf } from '../../kinds/list'
import { classStyles } from '../../kinds/palette'
import type { Annotation, ImageTaskData } from '../../model/types'
import type { Clipboard } from '../../surfaces/image/commands'
import { ImageSurfaceView } from '../../surfaces/image/ImageSurfaceView'
import type { ImageSurface } from '../../surfaces/image/surface'
import { boardDocument } from './boardDocument'
import type { Desk } from './desk'

interface Props {
  readonly desk: Desk
  readonly data: ImageTaskData
  readonly clipboard: Clipboard
  readonly compare: readonly Annotation[] | null
  readonly onSurface: (surface: ImageSurface | null) => void
}

export function ImageStage({ desk, data, clipboard, compare, onSurface }: Props) {
  const key = desk.key
  // What the picture starts from belongs to the moment it is mounted, not to every later change.
  const start = useMemo(() => desk.start(), [desk, key])
  const [surface, setSurface] = useState<ImageSurface | null>(null)
  return (
    <div className="eh-stage-image">
      <ImageSurfaceView
        image={data.image}
        ontology={desk.ontology}
        annotations={start.annotations}
        history={start.marks}
        taskKey={key}
        clipboard={clipboard}
        onSurface={(mounted) => {
          setSurface(mounted)
          onSurface(mounted)
          if (!mounted) return
          desk.attach(boardDocument(mounted))
          mounted.focus()
        }}
      />
      {surface && compare ? <Ghosts surface={surface} annotations={compare} /> : null}
    </div>
  )
}

function Ghosts({ surface, annotations }: { readonly surface: ImageSurface; readonly annotations: readonly Annotation[] }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const own = canvas.current
    const context = own?.getContext('2d')
    if (!own || !context) return
    const styleOf = classStyles(surface.board.ontology.classes)
    const draw = (): void => {
      const host = surface.element
      const ratio = window.devicePixelRatio || 1
      const place = host.getBoundingClientRect()
      const frame = own.parentElement?.getBoundingClientRect()
      own.style.left = `${place.left - (frame?.left ?? 0)}px`
      own.style.width = `${place.width}px`
      own.style.height = `${place.height}px`
      own.width = Math.round(place.width * ratio)
      own.height = Math.round(place.height * ratio)
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      const { camera } = surface.exportState()
      for (const annotation of annotations) {
        if (!isSpatial(annotation)) continue
        context.beginPath()
        kindOf(annotation).trace(annotation, context, camera)
        context.setLineDash([4, 4])
        context.lineWidth = 3
        context.strokeStyle = 'rgb(0 0 0 / 55%)'
        context.stroke()
        context.lineWidth = 1.5
        context.strokeStyle = styleOf(annotation.class).color
        context.stroke()
      }
    }
    draw()
    const off = surface.on('camera', draw)
    const watch = new ResizeObserver(draw)
    watch.observe(surface.element)
    return () => {
      off()
      watch.disconnect()
    }
  }, [surface, annotations])
  return <canvas className="eh-stage-ghosts" ref={canvas} aria-hidden="true" />
}
