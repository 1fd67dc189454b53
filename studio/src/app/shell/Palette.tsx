import { Combobox, ComboboxGroup, ComboboxGroupLabel, ComboboxItem, ComboboxList, ComboboxProvider } from '@ariakit/react/combobox'
import { Dialog as AriaDialog } from '@ariakit/react/dialog'
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { Dialog } from '../../ui/Dialog'
import { Icon } from '../../ui/Icon'
import { Kbd } from '../../ui/Kbd'
import { t } from '../../ui/messages'
import { closeOverlay, score, useAllCommands, useOverlay, type Command } from './commands'
import './Palette.css'

/** Go anywhere, do anything: Ctrl/Cmd-K. */
export function Palette() {
  const open = useOverlay() === 'palette'
  const commands = useAllCommands()
  const [typed, setTyped] = useState('')
  const wanted = useDeferredValue(typed)
  const found = useMemo(() => find(wanted, commands), [wanted, commands])
  const chosen = useRef<Command | null>(null)
  const close = () => {
    closeOverlay()
    setTyped('')
  }
  // Runs when the palette is gone and has given the focus back: else that would close the dialog which a command opens.
  useEffect(() => {
    if (open || !chosen.current) return
    const { run } = chosen.current
    chosen.current = null
    run()
  }, [open])
  return (
    <AriaDialog open={open} onClose={close} backdrop={<div className="eh-backdrop" />} className="eh-palette" aria-label={t('shell.palette')} unmountOnHide>
      <ComboboxProvider open setOpen={(next) => !next && close()} setValue={setTyped} resetValueOnHide={false}>
        <Combobox autoFocus autoSelect="always" className="eh-palette-input" placeholder={t('shell.palette.placeholder')} aria-label={t('shell.palette.placeholder')} />
        <ComboboxList className="eh-palette-list" alwaysVisible aria-label={t('shell.palette')}>
          {found.map(([group, items]) => (
            <ComboboxGroup key={group}>
              <ComboboxGroupLabel className="eh-palette-group">{group}</ComboboxGroupLabel>
              {items.map((command) => (
                <ComboboxItem
                  key={command.id}
                  className="eh-palette-item"
                  value={command.id}
                  setValueOnClick={false}
                  hideOnClick={false}
                  focusOnHover
                  onClick={() => {
                    chosen.current = command
                    close()
                  }}
                >
                  <Icon name={command.icon ?? 'right'} />
                  <span className="eh-grow eh-ellipsis">{command.label}</span>
                  {command.keys ? <Kbd keys={command.keys} /> : null}
                </ComboboxItem>
              ))}
            </ComboboxGroup>
          ))}
        </ComboboxList>
        {found.length ? null : <div className="eh-palette-none">{t('shell.palette.none', { typed })}</div>}
      </ComboboxProvider>
    </AriaDialog>
  )
}

function find(typed: string, commands: readonly Command[]): [string, Command[]][] {
  const ranked = commands
    .map((command) => ({ command, rank: Math.max(score(typed, command.label), score(typed, command.words ?? '') * (command.words ? 0.6 : 0)) }))
    .filter((item) => item.rank > 0)
  if (typed.trim()) ranked.sort((a, b) => b.rank - a.rank)
  const groups = new Map<string, Command[]>()
  for (const { command } of ranked.slice(0, 60)) {
    const group = groups.get(command.group)
    if (group) group.push(command)
    else groups.set(command.group, [command])
  }
  return [...groups]
}

/** Every key that works here, from the same list that the palette reads. */
export function Shortcuts() {
  const open = useOverlay() === 'shortcuts'
  const commands = useAllCommands()
  const groups = new Map<string, { label: string; keys: string }[]>([
    [
      t('shell.group.everywhere'),
      [
        { label: t('shell.palette'), keys: 'Mod+K' },
        { label: t('shell.shortcuts'), keys: '?' },
        { label: t('shell.shortcut.escape'), keys: 'Esc' },
      ],
    ],
  ])
  for (const { group, label, keys } of commands) {
    if (!keys) continue
    groups.set(group, [...(groups.get(group) ?? []), { label, keys }])
  }
  return (
    <Dialog open={open} onClose={closeOverlay} title={t('shell.shortcuts')} wide>
      <div className="eh-shortcuts">
        {[...groups].map(([group, items]) => [
          <h3 key={group}>{group}</h3>,
          ...items.map((item) => (
            <div key={item.label} className="eh-shortcut">
              <span>{item.label}</span>
              <Kbd keys={item.keys} />
            </div>
          )),
        ])}
      </div>
    </Dialog>
  )
}
