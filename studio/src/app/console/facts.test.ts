import { describe, expect, it } from 'vitest'
import { detailText, looksText } from './facts'

describe('details of a fact', () => {
  it('count ids where they would list them, and leave out one alone', () => {
    const joined = ['a'.repeat(24), 'b'.repeat(24)]
    expect(detailText({ added: 2, joined, batch: 'c'.repeat(24), none: [] })).toBe('added: 2 · joined: 2')
    expect(detailText({ scopes: ['manage', 'read'] })).toBe('scopes: manage and read')
    expect(detailText({ flow: 3, weight: 10, waited: 12, won: 4, limit: '9000' })).toBe('waited: 12 · won: 4')
    expect(detailText({ created: 5, priorities: { 0: 2, 10: 3 } })).toBe('created: 5 · priorities: 0 (2), 10 (3)')
  })
})

describe('looks', () => {
  it('are told in words, those of the compatible API by what was asked', () => {
    const looks = ['PUT /walls', 'GET /walls', 'GET /walls', 'v1 GET tasks'].map((asked) => ({ asked, times: 1 }))
    expect(looksText(looks)).toBe('walls while putting one up, walls (2 times), and what v1 GET tasks of the compatible API shows')
  })
})
