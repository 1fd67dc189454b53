/** The catalogue, by the keys of this surface. */
import { type MessageKey, t } from '../../ui/messages'
import type { TextKey } from './messages'

export const say = (key: TextKey, params?: Readonly<Record<string, string | number>>): string => t(key as MessageKey, params)
