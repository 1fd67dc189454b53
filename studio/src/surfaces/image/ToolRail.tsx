import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { Tooltip } from '../../ui/Tooltip'
import { classStyles } from '../../kinds/palette'
import { ClassChip } from './ClassChip'
import type { ImageSurface } from './surface'
import { ToolIcon } from './ToolIcon'
import { TOOL_KEYS, TOOL_NAMES, type ToolName, kindDrawn } from './tools/list'
import { useSurface } from './useSurface'
import { say } from './words'
import './ToolRail.css'

/** Tools that no class of the project can use are not offered. */
function offeredTools(surface: ImageSurface): readonly ToolName[] {
  const { board } = surface
  return TOOL_NAMES.filter((name) => {
    const kind = kindDrawn(name)
    return kind === null || (!board.readOnly && board.ontology.classes.some((c) => c.kinds.includes(kind)))
  })
}

export function ToolRail({ surface, onArm }: { surface: ImageSurface; onArm(): void }) {
  const tool = useSurface(surface, (s) => s.board.tool)
  const ontology = useSurface(surface, (s) => s.board.ontology)
  const armed = useSurface(surface, (s) => s.board.activeClass)
  const history = useSurface(surface, (s) => s.board.history)
  const percent = useSurface(surface, (s) => Math.round(s.getZoom() * 100))
  const [adjusting, setAdjusting] = useState(false)
  const styleOf = useMemo(() => classStyles(ontology.classes), [ontology])
  const readOnly = surface.board.readOnly
  const title = armed === null ? say('image.armed.none') : say('image.armed', { name: ontology.classes.find((c) => c.name === armed)?.title ?? armed })
  return (
    <>
      <div className="eh-tool-rail">
        <div role="radiogroup" aria-label={say('image.tools')} style={{ display: 'contents' }}>
          {offeredTools(surface).map((name) => (
            <RailButton key={name} label={say(`image.tool.${name}`)} keys={TOOL_KEYS[name].toUpperCase()} checked={name === tool} onPress={() => surface.setTool(name)}>
              <ToolIcon name={name} />
            </RailButton>
          ))}
        </div>
        {readOnly ? null : (
          <>
            <div className="eh-tool-line" />
            <RailButton label={title} onPress={onArm}>
              <ClassChip style={styleOf(armed ?? '')} />
            </RailButton>
            <div className="eh-tool-line" />
            <RailButton label={say('image.undo')} keys="Mod+Z" disabled={history.done.length === 0} onPress={() => surface.undo()}>
              <ToolIcon name="undo" />
            </RailButton>
            <RailButton label={say('image.redo')} keys="Mod+Shift+Z" disabled={history.undone.length === 0} onPress={() => surface.redo()}>
              <ToolIcon name="redo" />
            </RailButton>
          </>
        )}
        <div className="eh-tool-line" />
        <RailButton label={say('image.zoom_in')} keys="+" onPress={() => surface.zoomBy(1.25)}>
          <ToolIcon name="plus" />
        </RailButton>
        <Tooltip text={say('image.fit')} keys="0">
          <button type="button" className="eh-tool-button eh-tool-zoom" aria-label={`${say('image.fit')}, ${say('image.zoom', { percent })}`} onClick={() => surface.fit()}>
            {say('image.zoom', { percent })}
          </button>
        </Tooltip>
        <RailButton label={say('image.zoom_out')} keys="-" onPress={() => surface.zoomBy(0.8)}>
          <ToolIcon name="minus" />
        </RailButton>
        <RailButton label={say('image.adjust')} expanded={adjusting} onPress={() => setAdjusting(!adjusting)}>
          <ToolIcon name="adjust" />
        </RailButton>
      </div>
      {adjusting ? <AdjustPanel surface={surface} onClose={() => setAdjusting(false)} /> : null}
    </>
  )
}

interface RailButtonProps {
  label: string
  keys?: string
  checked?: boolean
  expanded?: boolean
  disabled?: boolean
  onPress(): void
  children: ReactNode
}

function RailButton({ label, keys, checked, expanded, disabled, onPress, children }: RailButtonProps) {
  return (
    <Tooltip text={label} keys={keys}>
      <button
        type="button"
        className="eh-tool-button"
        aria-label={label}
        aria-keyshortcuts={keys?.replace('Mod', 'Control')}
        {...(checked === undefined ? {} : { role: 'radio', 'aria-checked': checked })}
        {...(expanded === undefined ? {} : { 'aria-expanded': expanded, 'aria-haspopup': 'dialog' as const })}
        disabled={disabled}
        onClick={onPress}
      >
        {children}
      </button>
    </Tooltip>
  )
}

function AdjustPanel({ surface, onClose }: { surface: ImageSurface; onClose(): void }) {
  const adjust = useSurface(surface, (s) => s.getAdjust())
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    box.current?.querySelector('input')?.focus()
    const away = (event: PointerEvent) => {
      const target = event.target as Element
      if (!box.current?.contains(target) && !target.closest('[aria-haspopup="dialog"]')) onClose()
    }
    document.addEventListener('pointerdown', away, true)
    return () => document.removeEventListener('pointerdown', away, true)
  }, [onClose])
  const slider = (key: 'brightness' | 'contrast') => (
    <label>
      <span>{say(`image.adjust.${key}`)}</span>
      <output>{say('image.adjust.percent', { value: Math.round(adjust[key] * 100) })}</output>
      <input type="range" min={20} max={300} step={5} value={Math.round(adjust[key] * 100)} onChange={(event) => surface.setAdjust({ [key]: Number(event.target.value) / 100 })} />
    </label>
  )
  return (
    <div
      ref={box}
      className="eh-adjust"
      role="dialog"
      aria-label={say('image.adjust')}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key !== 'Escape') return
        onClose()
        surface.focus()
      }}
    >
      {slider('brightness')}
      {slider('contrast')}
      <button type="button" onClick={() => surface.setAdjust({ brightness: 1, contrast: 1 })}>
        {say('image.adjust.reset')}
      </button>
    </div>
  )
}
