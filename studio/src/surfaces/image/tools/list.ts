/** The written list of tools: name and key. Pan is the surface's own, for it edits nothing. */
import type { SpatialKind } from '../../../model/types'
import type { ImageTool } from './context'
import { boxTool, lineTool, pointTool, polygonTool } from './draw'
import { selectTool } from './select'

export type ToolName = 'select' | 'box' | 'polygon' | 'line' | 'point' | 'pan'

export const TOOL_KEYS: Readonly<Record<ToolName, string>> = {
  select: 'v',
  box: 'b',
  polygon: 'p',
  line: 'l',
  point: 'o',
  pan: 'h',
}

export const TOOL_NAMES = Object.keys(TOOL_KEYS) as readonly ToolName[]

const panTool: ImageTool<null> = {
  name: 'pan',
  cursor: 'grab',
  initial: null,
  busy: () => false,
  step: (state) => ({ state, used: false }),
}

/** The state of a tool is its own business: whoever runs it only hands it back. */
export type AnyTool = ImageTool<unknown>

const TOOLS: Readonly<Record<ToolName, AnyTool>> = {
  select: selectTool as AnyTool,
  box: boxTool as AnyTool,
  polygon: polygonTool as AnyTool,
  line: lineTool as AnyTool,
  point: pointTool as AnyTool,
  pan: panTool as AnyTool,
}

export const toolOf = (name: ToolName): AnyTool => TOOLS[name]

/** The kind a tool draws; null for those that draw nothing. */
export const kindDrawn = (name: ToolName): SpatialKind | null => (name === 'select' || name === 'pan' ? null : name)
