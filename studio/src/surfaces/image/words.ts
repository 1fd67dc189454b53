/** The catalogue, by the keys of this surface. */
import { type MessageKey, t } from '../../ui/messages'
import type { Phrase } from '../../kinds/kind'
import type { imageMessages } from './messages'

export type ImageKey = keyof typeof imageMessages

export const say = (key: ImageKey, params?: Readonly<Record<string, string | number>>): string =>
  t(key as MessageKey, params)

/** Phrases come from the kinds, whose keys are all in the catalogue: a test holds them to it. */
export const sayPhrase = (phrase: Phrase): string => t(phrase.key as MessageKey, phrase.params)
