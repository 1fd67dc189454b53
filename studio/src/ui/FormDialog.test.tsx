// @vitest-environment jsdom
import { act, useState } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FormDialog } from './FormDialog'

;(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true

let root: Root
let host: HTMLElement
beforeEach(() => {
  host = document.createElement('div')
  document.body.append(host)
  root = createRoot(host)
})
afterEach(() => {
  act(() => root.unmount())
  host.remove()
})

/** A dialog that fails as often as it is told to, and then shows what it made. */
function Making({ fails, tries }: { fails: number; tries: string[] }) {
  const [open, setOpen] = useState(true)
  const [name, setName] = useState('')
  const [made, setMade] = useState<string | null>(null)
  const make = async () => {
    tries.push(name)
    await Promise.resolve()
    if (tries.length <= fails) throw new Error('the line went dead')
    setMade(`made ${name}`)
  }
  return (
    <FormDialog open={open} onClose={() => setOpen(false)} title="New thing" verb="Make" act={make} ready={name !== ''} made={made ? { content: <p>{made}</p>, verb: 'Kept' } : null}>
      <input aria-label="Name" value={name} onChange={(event) => setName(event.target.value)} />
    </FormDialog>
  )
}

const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')
const button = (name: string) => [...document.querySelectorAll('button')].find((item) => item.textContent === name) ?? null
/** It leaves with the next frame. */
const gone = () => act(() => vi.waitFor(() => expect(dialog()).toBeNull()))
const submit = () => act(async () => dialog()!.querySelector('form')!.requestSubmit())

async function type(text: string): Promise<void> {
  const field = document.querySelector<HTMLInputElement>('[aria-label=Name]')!
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!
  await act(async () => {
    set.call(field, text)
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })
}

describe('a dialog that does something', () => {
  it('has a name, waits for what is missing, and does not run twice', async () => {
    const tries: string[] = []
    await act(async () => root.render(<Making fails={0} tries={tries} />))
    expect(document.getElementById(dialog()!.getAttribute('aria-labelledby')!)!.textContent).toBe('New thing')
    expect(button('Make')!.disabled).toBe(true)
    await submit()
    expect(tries).toEqual([])
    await type('lamp')
    expect(button('Make')!.disabled).toBe(false)
    await act(async () => {
      const form = dialog()!.querySelector('form')!
      form.requestSubmit()
      button('Make')!.click()
    })
    expect(tries).toEqual(['lamp'])
    expect(dialog()!.textContent).toContain('made lamp')
  })

  it('stays with what was typed when it fails, and the error goes when it works', async () => {
    const tries: string[] = []
    await act(async () => root.render(<Making fails={1} tries={tries} />))
    await type('lamp')
    await submit()
    expect(document.querySelector('[role=alert]')).not.toBeNull()
    expect(document.querySelector<HTMLInputElement>('[aria-label=Name]')!.value).toBe('lamp')
    await submit()
    expect(tries).toEqual(['lamp', 'lamp'])
    expect(document.querySelector('[role=alert]')).toBeNull()
    expect(button('Cancel')).toBeNull()
    await act(async () => button('Kept')!.click())
    await gone()
  })
})
