import type { ClassStyle } from '../../kinds/palette'
import './ClassPicker.css'

/** Colour and number of a class: the same two channels as on the picture. */
export function ClassChip({ style }: { style: ClassStyle }) {
  return (
    <span className="eh-class-chip" style={{ background: style.color, color: style.ink }} aria-hidden="true">
      {style.number > 0 ? style.number : '?'}
    </span>
  )
}
