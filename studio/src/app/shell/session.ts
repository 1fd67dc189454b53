// Who is signed in, and for which organisation they act. One store for the whole page.
import { useSyncExternalStore } from 'react'
import { api, ApiError, onSignedOut, setCsrf, setOrg, toApiError } from '../../ui/api'
import { navigate } from '../../ui/router'
import { forgetAll } from '../../ui/useApi'
import { showPasskey, type Asked } from '../../ui/webauthn'
import { forgetAhead } from '../../surfaces/image/ahead'
import type { Role } from '../console/types'
import { LeaseKeys } from '../workspace/sealing'
import { leaveDevice } from '../workspace/storage'

/** `project`: the only one that a grant to support opens. */
export type Org = { id: string; name: string; mode: 'live' | 'test'; role: Role | 'support'; project?: string | null }
export type Session = {
  person: { id: string; name: string; email: string; operator: boolean; director?: boolean }
  csrf: string
  orgs: Org[]
  seats: { label: number; review: number }
  /** Nobody is signed in yet: a passkey or an authenticator app comes first. */
  enrol: boolean
  method: '' | 'passkey' | 'code' | 'recovery' | 'password' | 'provider'
}
export type SessionState = { status: 'loading' } | { status: 'out' } | { status: 'failed'; error: ApiError } | { status: 'enrol'; session: Session } | { status: 'in'; session: Session; org: Org | null }

const KEY = 'evenhand.org'
let state: SessionState = { status: 'loading' }
const listeners = new Set<() => void>()
const farewells = new Set<() => Promise<unknown> | void>()

function set(next: SessionState): void {
  state = next
  for (const listener of listeners) listener()
}

export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => state,
  )
}

/** For pages behind the guard, where somebody is signed in for sure. */
export function useSignedIn(): { session: Session; org: Org | null } {
  const now = useSession()
  if (now.status !== 'in') throw new Error('used outside the guard')
  return now
}

/** Work to do before signing out: give leases back, write drafts. */
export function beforeSignOut(run: () => Promise<unknown> | void): () => void {
  farewells.add(run)
  return () => farewells.delete(run)
}

export function enter(session: Session): void {
  setCsrf(session.csrf)
  if (session.enrol) return set({ status: 'enrol', session })
  if (!session.csrf) return set({ status: 'out' })
  const org = preferredOrg(session.orgs)
  setOrg(org?.id ?? null)
  set({ status: 'in', session, org })
}

function preferredOrg(orgs: readonly Org[]): Org | null {
  const saved = remembered()
  const customer = orgs.filter(isCustomer)
  return customer.find((org) => org.id === saved) ?? customer.find((org) => org.mode === 'live') ?? customer[0] ?? null
}

/** Annotators and reviewers can be members without having a console. */
export function isCustomer(org: Org): boolean {
  return org.role === 'owner' || org.role === 'manager' || org.role === 'viewer' || org.role === 'support'
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

export async function loadSession(): Promise<void> {
  try {
    enter(await api.get<Session>('/session', undefined, { org: null }))
  } catch (error) {
    const problem = toApiError(error)
    set(problem.code === 'signin' ? { status: 'out' } : { status: 'failed', error: problem })
  }
}

export async function signIn(email: string, password: string, code: string): Promise<void> {
  enter(await api.post<Session>('/session', { email, password, code }, { org: null }))
}

export async function signInByPasskey(): Promise<void> {
  const asked = await api.post<Asked>('/session/passkey', {}, { org: null })
  enter(await api.post<Session>('/session/passkey/confirm', { token: asked.token, credential: await showPasskey(asked) }, { org: null }))
}

export async function signOut(): Promise<void> {
  await Promise.allSettled([...farewells].map((run) => run()))
  if (state.status === 'in') await leaveDevice(state.session.person.id, new LeaseKeys()).catch(() => undefined)
  forgetAhead()
  try {
    await api.del('/session', { org: null })
  } finally {
    navigate('/signin')
    leave()
  }
}

function leave(): void {
  forgetAll()
  setCsrf('')
  setOrg(null)
  set({ status: 'out' })
}

onSignedOut(() => {
  if (state.status === 'in') leave()
})

export function chooseOrg(id: string): void {
  if (state.status !== 'in' || state.org?.id === id) return
  const org = state.session.orgs.find((item) => item.id === id)
  if (!org) return
  try {
    localStorage.setItem(KEY, id)
  } catch {
    // private mode: the address names the organisation anyway
  }
  forgetAll()
  setOrg(id)
  set({ ...state, org })
}

/** Where a person begins. */
export function homeOf(session: Session): string {
  if (session.orgs.some((org) => isCustomer(org) && org.role !== 'support')) return '/console'
  if (session.seats.label > 0) return '/work'
  if (session.seats.review > 0) return '/review'
  if (session.person.operator) return '/operator'
  if (session.person.director) return '/director'
  return '/work'
}

export function mayWrite(org: Org | null): boolean {
  return org?.role === 'owner' || org?.role === 'manager'
}

/** People and keys: for owners alone. */
export function mayManage(org: Org | null): boolean {
  return org?.role === 'owner'
}
