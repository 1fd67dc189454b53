/** The work routes, through the studio's one client. */
import { API, ApiError, apiUrl, getCsrf, getOrg, newKey, problemOf, setCsrf, toApiError } from '../../ui/api'
import { t } from '../../ui/messages'
import { BACKGROUND, isAway } from '../../ui/presence'
import type { PackedDraft } from './pack'
import type { Assignment, Draft, InboxItem, Instructions, NextReply, Role, SkipReason, SubmitBody, SubmitReply, Summary } from './types'

export interface WorkApi {
  next(want: number, role: Role, have: readonly string[]): Promise<NextReply>
  open(handle: string): Promise<Assignment>
  heartbeat(handles: readonly string[]): Promise<Readonly<Record<string, string | null>>>
  draft(handle: string, version: number, body: Draft | PackedDraft): Promise<{ readonly version: number }>
  submit(handle: string, body: SubmitBody): Promise<SubmitReply>
  skip(handle: string, key: string, body: { readonly reason: SkipReason; readonly comment?: string }): Promise<unknown>
  release(handles: readonly string[]): Promise<unknown>
  recall(handle: string): Promise<Assignment>
  /** `key` stays the same over retries. */
  question(handle: string, key: string, text: string): Promise<{ readonly id: string }>
}

export interface AskApi {
  instructions(project: string): Promise<Instructions>
  inbox(): Promise<readonly InboxItem[]>
  summary(): Promise<Summary>
}

interface Options {
  readonly body?: unknown
  /** A write keeps its key over retries. */
  readonly key?: string
  readonly org?: boolean
  readonly keepalive?: boolean
}

/**
 * Not through the studio's `api`: there an ended session leaves the page at once, and here the work stays where it is until the same
 * person has signed in again. Trying again is the loop's business. Work goes by person, so the organisation is left out.
 */
async function ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, options: Options = {}): Promise<T> {
  try {
    return await askOnce<T>(method, path, options)
  } catch (error) {
    // Somebody has signed in again in another tab: the token is another, and perhaps the person too.
    const stale = error instanceof ApiError && error.code === 'denied' && method !== 'GET'
    if (!stale || !(await sameSession())) throw error
    return await askOnce<T>(method, path, options)
  }
}

let worker = ''

/** Whose work this page does. What is done for one person must never be sent as another. */
export function workAs(person: string): void {
  worker = person
}

/** True when there was a newer token of the same person; another person is as good as signed out. */
async function sameSession(): Promise<boolean> {
  const session = await askOnce<{ person: { id: string }; csrf: string }>('GET', '/session', {})
  if (session.person.id !== worker) throw new ApiError(401, 'signin', t('ui.error.unexpected.title'), '', '')
  if (session.csrf === getCsrf()) return false
  setCsrf(session.csrf)
  return true
}

async function askOnce<T>(method: 'GET' | 'POST' | 'PUT', path: string, { body, key, org, keepalive }: Options): Promise<T> {
  const headers = new Headers({ Accept: 'application/json' })
  const space = org ? getOrg() : null
  if (space) headers.set('Evenhand-Org', space)
  if (isAway()) headers.set(BACKGROUND, '1')
  if (method !== 'GET') {
    headers.set('Content-Type', 'application/json')
    headers.set('X-Evenhand-CSRF', getCsrf())
    headers.set('Idempotency-Key', key ?? newKey())
  }
  const what = `${method} ${path}`
  let response: Response
  try {
    response = await fetch(apiUrl(path), { method, headers, body: method === 'GET' ? null : JSON.stringify(body ?? {}), credentials: 'same-origin', keepalive: keepalive ?? false })
  } catch {
    throw new ApiError(0, 'offline', t('ui.error.offline.title'), t('ui.error.offline.detail', { what }), t('ui.error.offline.hint'))
  }
  if (!response.ok) throw await problemOf(response, what)
  try {
    const text = await response.text()
    return (text ? JSON.parse(text) : undefined) as T
  } catch {
    // The line broke in the middle of the answer: it may be done, so it is asked again with the same key.
    throw new ApiError(0, 'offline', t('ui.error.offline.title'), t('ui.error.offline.detail', { what }), t('ui.error.offline.hint'))
  }
}

export const workApi: WorkApi & AskApi = {
  next: (want, role, have) => ask<NextReply>('POST', '/work/next', { body: { want, role, have } }),
  open: (handle) => ask<Assignment>('GET', `/work/${handle}`),
  heartbeat: async (handles) => (await ask<{ leases: Record<string, string | null> }>('POST', '/work/heartbeat', { body: { handles } })).leases,
  draft: (handle, version, body) => ask<{ version: number }>('PUT', `/work/${handle}/draft`, { body: { version, body } }),
  submit: (handle, body) => ask<SubmitReply>('POST', `/work/${handle}/submit`, { body, key: body.key }),
  skip: (handle, key, body) => ask('POST', `/work/${handle}/skip`, { body, key }),
  release: (handles) => ask('POST', '/work/release', { body: { handles }, keepalive: true }),
  recall: (handle) => ask<Assignment>('POST', `/work/${handle}/recall`),
  question: (handle, key, text) => ask<{ id: string }>('POST', `/work/${handle}/question`, { body: { text }, key }),
  // A customer who labels the pilot reads them as a member of the organisation.
  instructions: (project) => ask<Instructions>('GET', `/work/projects/${project}/instructions`, { org: true }),
  inbox: async () => (await ask<{ items: InboxItem[] }>('GET', '/work/inbox')).items,
  summary: () => ask<Summary>('GET', '/work/summary'),
}

/** The customer's own ten: the same view, but one at a time and from the project. */
export function pilotApi(project: string): WorkApi {
  return {
    ...workApi,
    next: async () => {
      const reply = await ask<Assignment | NextReply | null | undefined>('POST', `/projects/${project}/pilot/next`, { org: true }).catch((error: unknown) => {
        // "Missing" is how it says that all of the pilot is done.
        const problem = toApiError(error)
        if (problem.code !== 'missing') throw error
        return { assignments: [], empty: { reason: 'done_by_you' as const, text: problem.detail, retry_after_s: 3600 } }
      })
      if (!reply) return { assignments: [], empty: null }
      if ('assignments' in reply) return reply
      return { assignments: 'handle' in reply ? [reply] : [], empty: null }
    },
  }
}

/** Gives leases back while the page is going away; a beacon cannot carry headers, so the token travels in the body, in front. */
export function releaseByBeacon(handles: readonly string[]): void {
  if (handles.length === 0) return
  const body = new Blob([JSON.stringify({ csrf: getCsrf(), handles })], { type: 'application/json' })
  navigator.sendBeacon(`${API}/work/release`, body)
}

export type Failure = 'signin' | 'away' | 'final'

/** Sign in again, try again later, or never. */
export function failureOf(error: unknown): Failure {
  const problem: ApiError = toApiError(error)
  if (problem.code === 'signin') return 'signin'
  return problem.transient ? 'away' : 'final'
}

export function plainReason(error: unknown): string {
  const problem = toApiError(error)
  return [problem.detail || problem.title, problem.hint].filter(Boolean).join(' ')
}
