import { useLayoutEffect } from 'react'
import type { Other } from '../../surfaces/forms/compare'
import type { TextController } from '../../surfaces/text/controller'
import { TextSurface } from '../../surfaces/text/TextSurface'

interface Props {
  readonly controller: TextController
  readonly name: string
  readonly other: Other | null
}

/** The text on the stage, with what another answer has elsewhere. */
export function TextStage({ controller, name, other }: Props) {
  useLayoutEffect(() => controller.compare(other), [controller, other])
  return <TextSurface controller={controller} name={name} />
}
