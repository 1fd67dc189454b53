// Our own 16-pixel line icons. They are decoration: the control that holds one carries the name.
const paths = {
  home: 'M2.5 7.5 8 3l5.5 4.5M4 6.5V13h8V6.5',
  folder: 'M2 4.5h4l1.5 1.5H14v7H2z',
  people: 'M6 7.5a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM2 13c.3-2.3 1.900-3.500 4-3.500s3.700 1.200 4 3.500M10.500 3.300a2.200 2.200 0 0 1 0 4.100M11.500 9.700c1.500.4 2.300 1.600 2.500 3.300',
  key: 'M10.300 2.500a3.200 3.200 0 1 0-2.700 5L2.500 12.500V14h2v-1.500H6V11h1.500l1.600-1.700A3.200 3.200 0 0 0 10.300 2.500ZM11 5h.01',
  lock: 'M3.500 7.500h9v6h-9zM5.500 7.500V5a2.500 2.500 0 0 1 5 0v2.500M8 10v1.500',
  log: 'M3.500 2.500h9v11h-9zM5.500 5.500h5M5.500 8h5M5.500 10.500h3',
  box: 'M8 2 2.500 4.800v6.400L8 14l5.500-2.800V4.800zM2.500 4.800 8 7.600l5.500-2.800M8 7.600V14',
  search: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9ZM10.300 10.300 14 14',
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.500 6.500 12 13 4.500',
  chevron: 'M4.500 6.500 8 10l3.500-3.500',
  right: 'M6.500 4.500 10 8l-3.500 3.500',
  left: 'M9.500 4.500 6 8l3.500 3.500',
  more: 'M3.500 8h.01M8 8h.01M12.500 8h.01',
  download: 'M8 2.500v7.500M5 7.500 8 10.500l3-3M3 13.500h10',
  upload: 'M8 10.500V3M5 5.500 8 2.500l3 3M3 13.500h10',
  copy: 'M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3',
  sun: 'M8 10.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600ZM8 1.500V3M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M12.600 3.400l-1 1M4.400 11.600l-1 1',
  menu: 'M2.500 4.500h11M2.500 8h11M2.500 11.500h11',
  warn: 'M8 2 1.800 13.500h12.400zM8 6.500v3.500M8 11.800h.01',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.300V11M8 5h.01',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  play: 'M5 3v10l8-5z',
  edit: 'M10.500 3 13 5.500 5.500 13H3v-2.500z',
  image: 'M2.500 3h11v10h-11zM2.500 11l3.500-3.500 2.500 2.500 2-2 3 3M10.500 6h.01',
  text: 'M3 4h10M3 7h10M3 10h7M3 13h5',
  chat: 'M2.500 3h11v8H7l-3 2.500V11H2.500z',
  form: 'M3 4h2v2H3zM7 5h6.500M3 10h2v2H3zM7 11h6.500',
  polygon: 'M3 5.500 9 2.500l4.500 5-3 5.500H4.500z',
  history: 'M3 3v3h3M3.200 6A5.300 5.300 0 1 1 2.700 9M8 5v3.300l2.200 1.400',
  filter: 'M2 3.500h12L9.500 8.500v4.500l-3-1.500v-3z',
  sort: 'M5 3v10M2.500 10.500 5 13l2.500-2.500M11 13V3M8.500 5.500 11 3l2.500 2.500',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.500V8l2.500 1.500',
  flag: 'M4 14V2.500h8L10.500 5.500 12 8.500H4',
  gear: 'M8 10.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400ZM8 1.800v2M8 12.200v2M1.800 8h2M12.200 8h2M3.600 3.600 5 5M11 11l1.400 1.400M12.400 3.600 11 5M5 11l-1.400 1.400',
  swap: 'M3 5.500h9.500L10 3M13 10.500H3.500L6 13',
  grip: 'M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  trash: 'M3 4.500h10M6 4.500v-2h4v2M4.500 4.500l.5 9h6l.5-9M7 7v4M9 7v4',
  undo: 'M5.500 3 2.500 6l3 3M2.500 6h7a4 4 0 0 1 0 8H6',
  external: 'M9.500 2.500h4v4M13.500 2.500 8 8M6.500 4h-4v9.500H12V9.500',
  question: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.200 6.300C6.300 5.200 7 4.700 8 4.700s1.800.6 1.800 1.600c0 1.400-1.800 1.400-1.800 2.700M8 11.300h.01',
  panel: 'M2.500 3h11v10h-11zM9.500 3v10',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 16, title }: { name: IconName; size?: number; title?: string | undefined }) {
  const heavy = name === 'more' || name === 'grip'
  return (
    <svg
      className="eh-icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={heavy ? 2.2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      focusable="false"
      {...(title ? { role: 'img', 'aria-label': title } : { 'aria-hidden': true })}
    >
      <path d={paths[name]} />
    </svg>
  )
}
