import type { Held } from '../../workspace/loopState'
import { t } from '../../../ui/messages'
import type { Project, Task } from '../types'

/** The answer that stands, or the one that is looked at, as a review of the customer's own: nobody holds a lease for it. */
export function fixOf(task: Task, project: Project, answer: string | null): Held {
  const latest = task.result ? undefined : task.answers.find((one) => one.state === 'current')
  const seen = task.answers.find((one) => one.id === answer) ?? latest
  const annotations = seen?.annotations ?? task.result?.annotations ?? []
  const by = seen?.by ?? t('console.result.final')
  const first = { id: seen?.id ?? 'result', by, annotations, extra: false, late: false, submitted_at: seen?.submitted_at ?? '' }
  const others = task.answers.filter((one) => one.id !== first.id)
  return {
    assignment: {
      handle: `fix-${task.id}-${first.id}`,
      role: 'review',
      task: task.id,
      project: { id: project.id, name: project.name, medium: project.medium },
      data: task.data,
      ontology: task.ontology,
      instructions_version: project.version,
      lease_until: '',
      lease_s: 0,
      server_now: '',
      draft: null,
      answer: null,
      review: { by, answers: [first, ...others], comments: [] },
    },
    draft: null,
    lost: false,
  }
}
