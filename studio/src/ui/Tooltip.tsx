import { Tooltip as AriaTooltip, TooltipAnchor, TooltipProvider } from '@ariakit/react/tooltip'
import type { ReactElement } from 'react'
import { Kbd } from './Kbd'
import './Tooltip.css'

/** Explains its one child on hover and focus. The child must have a name of its own: a tooltip is not a label. */
export function Tooltip({ text, keys, children }: { text: string; keys?: string | undefined; children: ReactElement }) {
  return (
    <TooltipProvider timeout={350} placement="bottom">
      <TooltipAnchor render={children} />
      <AriaTooltip className="eh-tooltip" gutter={6} unmountOnHide portal>
        {text}
        {keys ? <Kbd keys={keys} /> : null}
      </AriaTooltip>
    </TooltipProvider>
  )
}
