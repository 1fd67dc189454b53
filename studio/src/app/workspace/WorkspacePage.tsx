/** The labelling and review pages: one loop for the person who is signed in, from opening the page to leaving it. */
import { useEffect, useMemo, useState } from 'react'
import { api } from '../../ui/api'
import { Skeleton } from '../../ui/Skeleton'
import { navigate } from '../../ui/router'
import { to } from '../console/paths'
import { beforeSignOut, enter, useSignedIn, type Session } from '../shell/session'
import { SignInAgain } from './dialogs'
import { browserEnv } from './env'
import { TaskLoop } from './loop'
import { LeaseKeys, withKeys } from './sealing'
import { openStorage, type Storage } from './storage'
import type { Role } from './types'
import { useLoop } from './useStore'
import { pilotApi, workApi, workAs, type WorkApi } from './workApi'
import type { Mode } from './parts'
import { Workbench } from './Workbench'
import { say } from './phrases'

export function WorkspacePage({ role }: { readonly role: Role }) {
  return <Workspace mode={role} role={role} client={workApi} ahead={2} />
}

/** The customer labels the first tasks of his own project, in the same view. */
export function PilotPage({ projectId }: { readonly projectId: string }) {
  const client = useMemo(() => pilotApi(projectId), [projectId])
  return <Workspace mode="pilot" role="label" client={client} ahead={0} scope={`pilot-${projectId}`} onLeave={() => navigate(to.project(projectId, 'pilot'))} />
}

interface Props {
  readonly mode: Mode
  readonly role: Role
  readonly client: WorkApi
  readonly ahead: number
  /** Work that must not be mixed with the person's other work. */
  readonly scope?: string
  readonly onLeave?: () => void
}

interface Opened {
  readonly loop: TaskLoop
  readonly storage: Storage
}

function Workspace({ mode, role, client, ahead, scope, onLeave }: Props) {
  const { session } = useSignedIn()
  const person = scope ? `${session.person.id}-${scope}` : session.person.id
  const [opened, setOpened] = useState<Opened | null>(null)
  useEffect(() => {
    let gone = false
    let own: Opened | null = null
    workAs(session.person.id)
    const keys = new LeaseKeys()
    const opening = openStorage(person, keys).then(({ storage, durable }) => {
      if (gone) return storage.close()
      const loop = new TaskLoop(withKeys(client, keys), storage, browserEnv(), { role, person, ahead, durable })
      own = { loop, storage }
      setOpened(own)
      void loop.start()
    })
    const off = beforeSignOut(async () => {
      await opening
      await own?.loop.leave()
    })
    return () => {
      gone = true
      off()
      const { loop, storage } = own ?? {}
      setOpened(null)
      // Signed out by the server: keep what is held, so that signing in again finds it.
      if (loop?.state.signin) loop.stop()
      else void loop?.leave().finally(() => storage?.close())
    }
  }, [person, session.person.id, client, role, ahead])
  if (!opened) {
    return (
      <main className="eh-alone">
        <h1 className="eh-sr">{say(`work.title.${mode}`)}</h1>
        <Skeleton lines={4} />
      </main>
    )
  }
  return <Opened opened={opened} mode={mode} email={session.person.email} person={session.person.id} onLeave={onLeave} />
}

function Opened({ opened, mode, email, person, onLeave }: { readonly opened: Opened; readonly mode: Mode; readonly email: string; readonly person: string; readonly onLeave: (() => void) | undefined }) {
  const state = useLoop(opened.loop)
  const signInAgain = async (who: string, password: string): Promise<void> => {
    const next = await api.post<Session>('/session', { email: who, password }, { org: null })
    if (next.person.id !== person) throw new Error(say('work.signin.other', { email }))
    enter(next)
    await opened.loop.signedIn()
  }
  return (
    <>
      <Workbench loop={opened.loop} storage={opened.storage} mode={mode} onLeave={onLeave} />
      <SignInAgain open={state.signin} email={email} onSignIn={signInAgain} />
    </>
  )
}
