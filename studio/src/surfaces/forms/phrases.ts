/** The catalogue, by the keys of the forms. */
import { type MessageKey, t } from '../../ui/messages'
import type { FormsKey } from './messages'

export const say = (key: FormsKey, params?: Readonly<Record<string, string | number>>): string => t(key as MessageKey, params)
