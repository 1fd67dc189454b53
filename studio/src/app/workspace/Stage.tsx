/** Opens a task on the surface of its medium. */
import { FormSurface } from '../../surfaces/forms/FormSurface'
import type { Clipboard } from '../../surfaces/image/commands'
import type { ImageSurface } from '../../surfaces/image/surface'
import type { Desk } from './desk'
import { ImageStage } from './ImageStage'
import { titleOf } from './loopState'
import { TextStage } from './TextStage'
import { useCompared } from './useCompared'
import { say } from './phrases'

interface Props {
  readonly desk: Desk
  readonly clipboard: Clipboard
  /** The answer to compare with. */
  readonly compareWith: string | null
  readonly onSurface: (surface: ImageSurface | null) => void
}

export function Stage({ desk, clipboard, compareWith, onSurface }: Props) {
  const other = useCompared(desk, compareWith)
  const { assignment } = desk.held
  const { data } = assignment
  if (data.medium === 'image') return <ImageStage desk={desk} data={data} clipboard={clipboard} compare={other?.annotations ?? null} onSurface={onSurface} />
  if (data.medium === 'text' && desk.text) return <TextStage key={desk.key} controller={desk.text} name={titleOf(assignment)} other={other} />
  if ((data.medium === 'conversation' || data.medium === 'none') && desk.document) {
    return <FormSurface key={desk.key} ontology={desk.ontology} data={data} document={desk.document} gaps={desk.gaps} other={other} />
  }
  return <p className="eh-stage-note">{say('work.unsupported')}</p>
}
