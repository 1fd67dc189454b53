/** Opens a task on the surface of its medium. */
import type { Annotation } from '../../model/types'
import { FormSurface } from '../../surfaces/forms/FormSurface'
import { TextSurface } from '../../surfaces/text/TextSurface'
import type { Clipboard } from '../../surfaces/image/commands'
import type { ImageSurface } from '../../surfaces/image/surface'
import type { Desk } from './desk'
import { ImageStage } from './ImageStage'
import { titleOf } from './loop'
import { say } from './phrases'
import { useDesk } from './useStore'

interface Props {
  readonly desk: Desk
  readonly clipboard: Clipboard
  readonly compare: readonly Annotation[] | null
  readonly onSurface: (surface: ImageSurface | null) => void
}

export function Stage({ desk, clipboard, compare, onSurface }: Props) {
  useDesk(desk)
  const { assignment } = desk.held
  const { data } = assignment
  if (data.medium === 'image') return <ImageStage desk={desk} data={data} clipboard={clipboard} compare={compare} onSurface={onSurface} />
  if (data.medium === 'text' && desk.text) return <TextSurface key={desk.key} controller={desk.text} name={titleOf(assignment)} />
  if ((data.medium === 'conversation' || data.medium === 'none') && desk.document) {
    return <FormSurface key={desk.key} ontology={desk.ontology} data={data} document={desk.document} gaps={desk.gaps} />
  }
  return <p className="eh-stage-note">{say('work.unsupported')}</p>
}
