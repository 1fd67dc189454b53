import './Kbd.css'

const mac = typeof navigator !== 'undefined' && /Mac|iP(hone|ad)/.test(navigator.userAgent)
const names: Record<string, string> = mac ? { Mod: '⌘', Alt: '⌥', Shift: '⇧' } : { Mod: 'Ctrl' }

/** `keys` such as "Mod+K", or "G H" for one after the other. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="eh-kbds">
      {keys.split(/[+ ]/).map((key, at) => (
        <kbd className="eh-kbd" key={at}>
          {names[key] ?? key}
        </kbd>
      ))}
    </span>
  )
}
