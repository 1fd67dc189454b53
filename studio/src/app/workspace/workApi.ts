/** The work routes, through the studio's one client. */
import { API, ApiError, api, getCsrf, toApiError } from '../../ui/api'
import type { Assignment, Draft, InboxItem, Instructions, NextReply, Role, SkipReason, SubmitBody, SubmitReply, Summary } from './types'

export interface WorkApi {
  next(want: number, role: Role, have: readonly string[]): Promise<NextReply>
  open(handle: string): Promise<Assignment>
  heartbeat(handles: readonly string[]): Promise<Readonly<Record<string, string | null>>>
  draft(handle: string, version: number, body: Draft): Promise<{ readonly version: number }>
  submit(handle: string, body: SubmitBody): Promise<SubmitReply>
  skip(handle: string, key: string, body: { readonly reason: SkipReason; readonly comment?: string }): Promise<unknown>
  release(handles: readonly string[]): Promise<unknown>
  recall(handle: string): Promise<Assignment>
}

export interface AskApi {
  question(handle: string, text: string): Promise<{ readonly id: string }>
  instructions(project: string): Promise<Instructions>
  inbox(): Promise<readonly InboxItem[]>
  summary(): Promise<Summary>
}

/** Work routes go by person, not by organisation. */
const personal = { org: null } as const

export const workApi: WorkApi & AskApi = {
  next: (want, role, have) => api.post<NextReply>('/work/next', { want, role, have }, personal),
  open: (handle) => api.get<Assignment>(`/work/${handle}`, undefined, personal),
  heartbeat: async (handles) => (await api.post<{ leases: Record<string, string | null> }>('/work/heartbeat', { handles }, personal)).leases,
  draft: (handle, version, body) => api.put<{ version: number }>(`/work/${handle}/draft`, { version, body }, personal),
  submit: (handle, body) => api.post<SubmitReply>(`/work/${handle}/submit`, body, { ...personal, key: body.key }),
  skip: (handle, key, body) => api.post(`/work/${handle}/skip`, body, { ...personal, key }),
  release: (handles) => api.post('/work/release', { handles }, { ...personal, keepalive: true }),
  recall: (handle) => api.post<Assignment>(`/work/${handle}/recall`, {}, personal),
  question: (handle, text) => api.post<{ id: string }>(`/work/${handle}/question`, { text }, personal),
  instructions: (project) => api.get<Instructions>(`/work/projects/${project}/instructions`, undefined, personal),
  inbox: async () => (await api.get<{ items: InboxItem[] }>('/work/inbox', undefined, personal)).items,
  summary: () => api.get<Summary>('/work/summary', undefined, personal),
}

/** The customer's own ten: the same view, but one at a time and from the project. */
export function pilotApi(project: string): WorkApi {
  return {
    ...workApi,
    next: async () => {
      const reply = await api.post<Assignment | NextReply | null | undefined>(`/projects/${project}/pilot/next`, {})
      if (!reply) return { assignments: [], empty: null }
      if ('assignments' in reply) return reply
      return { assignments: 'handle' in reply ? [reply] : [], empty: null }
    },
  }
}

/** Gives leases back while the page is going away; a beacon cannot carry headers, so the token travels in the body. */
export function releaseByBeacon(handles: readonly string[]): void {
  if (handles.length === 0) return
  const body = new Blob([JSON.stringify({ handles, csrf: getCsrf() })], { type: 'application/json' })
  navigator.sendBeacon(`${API}/work/release`, body)
}

export type Failure = 'signin' | 'away' | 'final'

/** Sign in again, try again later, or never. */
export function failureOf(error: unknown): Failure {
  const problem: ApiError = toApiError(error)
  if (problem.code === 'signin') return 'signin'
  // A stale CSRF token after signing in again elsewhere is refused as denied; the session is asked for again before giving up.
  return problem.transient ? 'away' : 'final'
}

export function plainReason(error: unknown): string {
  const problem = toApiError(error)
  return [problem.detail || problem.title, problem.hint].filter(Boolean).join(' ')
}
