// @vitest-environment jsdom
import { afterEach, expect, it } from 'vitest'
import { forgetFields } from './forgetful'

let stop = (): void => undefined
afterEach(() => {
  stop()
  document.body.innerHTML = ''
})

it('has every field belong to a form that keeps nothing', async () => {
  document.body.innerHTML = '<div id="root"><input id="early" /></div>'
  const root = document.querySelector<HTMLElement>('#root')
  if (!root) throw new Error('no root')
  stop = forgetFields(root)
  root.insertAdjacentHTML('beforeend', '<p><textarea id="late"></textarea></p><form><select id="own"></select><input id="named" autocomplete="username" /></form>')
  root.append(Object.assign(document.createElement('select'), { id: 'bare' }))
  await Promise.resolve()
  const off = (id: string) => document.querySelector<HTMLInputElement>(`#${id}`)?.form?.autocomplete
  expect(['early', 'late', 'own', 'bare', 'named'].map(off)).toEqual(['off', 'off', 'off', 'off', 'off'])
  expect(document.querySelector('#named')?.getAttribute('autocomplete')).toBe('username')
  expect(document.querySelector<HTMLInputElement>('#own')?.form?.id).toBe('')
})

it('sends nothing, and stops when it is told to', async () => {
  document.body.innerHTML = '<div id="root"></div>'
  const root = document.querySelector<HTMLElement>('#root')
  if (!root) throw new Error('no root')
  stop = forgetFields(root)
  const sent = new Event('submit', { cancelable: true })
  document.querySelector('#eh-forgetful')?.dispatchEvent(sent)
  expect(sent.defaultPrevented).toBe(true)
  stop()
  root.innerHTML = '<input id="after" />'
  await Promise.resolve()
  expect(document.querySelector('#after')?.hasAttribute('form')).toBe(false)
})
