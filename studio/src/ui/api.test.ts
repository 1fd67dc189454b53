import { afterEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError } from './api'

/** A server that answers each read with the next of these. */
function answering(...replies: Response[]) {
  const asked = vi.fn(() => Promise.resolve(replies.shift() ?? new Response('{}', { status: 500 })))
  vi.stubGlobal('fetch', asked)
  return asked
}

const busy = (seconds: number) => new Response('{"code":"busy","title":"Busy"}', { status: 429, headers: { 'Retry-After': String(seconds) } })

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('a read that is told to come back later', () => {
  it('says so at once where that is longer than a page may be silent', async () => {
    const asked = answering(busy(30), new Response('{"a":1}'))
    await expect(api.get('/projects')).rejects.toThrow(ApiError)
    expect(asked).toHaveBeenCalledTimes(1)
  })
  it('comes back by itself after a moment', async () => {
    const asked = answering(busy(0.01), new Response('{"a":1}'))
    expect(await api.get('/projects')).toEqual({ a: 1 })
    expect(asked).toHaveBeenCalledTimes(2)
  })
})
