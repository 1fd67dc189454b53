import type { ToolName } from './tools/list'

type Name = ToolName | 'undo' | 'redo' | 'fit' | 'adjust' | 'eye' | 'eye-off' | 'chevron' | 'warn' | 'plus' | 'minus'

/** 20 by 20, drawn with a line of 1.5. */
const PATHS: Readonly<Record<Name, string>> = {
  select: 'M5 3l10 7.200-4.600.8L13 16l-2.200 1-2.500-5L5 15z',
  box: 'M4 5h12v10H4zM2.800 3.800h2.400v2.400H2.800zM14.800 3.800h2.400v2.400h-2.400zM2.800 13.800h2.400v2.400H2.800zM14.800 13.800h2.400v2.400h-2.400z',
  polygon: 'M10 3.500l6.500 5-2.500 8H6l-2.500-8z',
  line: 'M4.800 15.200L8.500 7.800l4 4.400 3-7.400M3.600 15.200a1.200 1.200 0 1 0 2.400 0 1.200 1.200 0 1 0-2.400 0M14.300 4.800a1.200 1.200 0 1 0 2.400 0 1.200 1.200 0 1 0-2.400 0',
  point: 'M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 1 0 0-7M10 2.500v3M10 14.500v3M2.500 10h3M14.500 10h3',
  pan: 'M10 3v14M3 10h14M10 3L8 5M10 3l2 2M10 17l-2-2M10 17l2-2M3 10l2-2M3 10l2 2M17 10l-2-2M17 10l-2 2',
  undo: 'M7 4L3.500 7.500 7 11M3.500 7.500H12a4.200 4.200 0 0 1 0 8.500H8',
  redo: 'M13 4l3.500 3.500L13 11M16.500 7.500H8A4.200 4.200 0 0 0 8 16h4',
  fit: 'M3.500 7.500v-4h4M12.500 3.500h4v4M16.500 12.500v4h-4M7.500 16.500h-4v-4M7 7h6v6H7z',
  adjust: 'M10 3.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 1 0 0-13M10 3.500v13M10 6h3.500M10 8.700h6M10 11.400h6M10 14h3.500',
  eye: 'M2.500 10S5.200 5 10 5s7.500 5 7.500 5-2.700 5-7.500 5-7.500-5-7.500-5M10 7.800a2.200 2.200 0 1 0 0 4.400 2.200 2.200 0 1 0 0-4.400',
  'eye-off': 'M3.500 3.500l13 13M5 6.500C3.400 8 2.500 10 2.500 10s2.700 5 7.500 5c1.300 0 2.400-.4 3.400-.9M8 5.300c.6-.2 1.300-.3 2-.3 4.800 0 7.500 5 7.500 5s-.6 1.200-1.700 2.400',
  chevron: 'M6 8l4 4 4-4',
  warn: 'M10 3.500L2.500 16.500h15zM10 8.500v4M10 14.500v.1',
  plus: 'M10 5v10M5 10h10',
  minus: 'M5 10h10',
}

export function ToolIcon({ name, size = 20 }: { name: Name; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
