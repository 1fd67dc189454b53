import { expect, test } from 'vitest'
import { t, type MessageKey } from '../../ui/messages'
import { imageMessages } from './messages'

test('every word of the surface is in the catalogue', () => {
  for (const key of Object.keys(imageMessages)) expect(t(key as MessageKey, { count: 2 }), key).not.toBe(key)
})
