/** The catalogue, by the keys of the workspace. */
import { type MessageKey, t } from '../../ui/messages'
import type { WorkKey } from './messages'

export const say = (key: WorkKey, params?: Readonly<Record<string, string | number>>): string => t(key as MessageKey, params)
