import type { Ontology, SpatialAnnotation, TaskImage } from '../../../model/types'
import { t } from '../../../ui/messages'
import { colorAt } from '../projects/palette'
import './Result.css'

export function classColor(ontology: Ontology, name: string): string {
  const at = ontology.classes.findIndex((item) => item.name === name)
  return ontology.classes[at]?.color ?? colorAt(Math.max(0, at))
}

/** The picture with what was drawn on it. `picked` stands out; a dark halo keeps every colour visible on every picture. */
export function ImageResult({ image, ontology, annotations, picked, onPick, large }: {
  image: TaskImage
  ontology: Ontology
  annotations: readonly SpatialAnnotation[]
  picked: string | null
  onPick: (id: string | null) => void
  large?: boolean
}) {
  return (
    <div className={large ? 'eh-result eh-result-large' : 'eh-result'}>
      <div className="eh-result-media">
        <img src={image.url} width={image.width} height={image.height} alt={image.name || t('console.task')} decoding="async" />
        <svg viewBox={`0 0 ${image.width} ${image.height}`} preserveAspectRatio="none" role="img" aria-label={t('console.result.drawn', { count: annotations.length })}>
          {annotations.map((item) => (
            <g key={item.id} onClick={() => onPick(item.id === picked ? null : item.id)}>
              <Shape item={item} className="eh-shape-halo" color={null} size={image.width} />
              <Shape item={item} className={item.id === picked ? 'eh-shape eh-shape-on' : 'eh-shape'} color={classColor(ontology, item.class)} size={image.width} />
            </g>
          ))}
        </svg>
      </div>
    </div>
  )
}

function Shape({ item, className, color, size }: { item: SpatialAnnotation; className: string; color: string | null; size: number }) {
  const paint = color === null ? {} : { stroke: color, fill: color }
  switch (item.kind) {
    case 'box': {
      const turn = item.angle_rad ? `rotate(${(item.angle_rad * 180) / Math.PI} ${item.x + item.w / 2} ${item.y + item.h / 2})` : undefined
      return <rect className={className} x={item.x} y={item.y} width={item.w} height={item.h} transform={turn} {...paint} />
    }
    case 'polygon':
      return <polygon className={className} points={item.points.map((point) => point.join(',')).join(' ')} {...paint} />
    case 'line':
      return <polyline className={className} points={item.points.map((point) => point.join(',')).join(' ')} {...paint} fill="none" />
    case 'point':
      return <circle className={className} cx={item.x} cy={item.y} r={size / 160} {...paint} />
  }
}
