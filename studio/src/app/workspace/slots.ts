/** What local work belongs to: a task and what one does with it, not a lease, so that it is there when the task comes back. */
import type { Role } from './types'

export function slotOf(task: string, role: Role): string {
  return `${task}:${role}`
}
