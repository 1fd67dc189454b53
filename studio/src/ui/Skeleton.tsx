import { t } from './messages'
import './Skeleton.css'

/** Holds the place of text that is on its way. */
export function Skeleton({ lines = 3, height = 14 }: { lines?: number; height?: number }) {
  return (
    <div className="eh-skeletons" role="status" aria-label={t('ui.loading')}>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} className="eh-skeleton" style={{ height, width: at === lines - 1 && lines > 1 ? '60%' : '100%' }} />
      ))}
    </div>
  )
}
