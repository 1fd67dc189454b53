import { useEffect, useState } from 'react'
import { api, toApiError } from '../../ui/api'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { Link, navigate } from '../../ui/router'
import { Skeleton } from '../../ui/Skeleton'
import { useApi } from '../../ui/useApi'
import { Brand } from '../shell/Brand'
import { enter, homeOf, type Session } from '../shell/session'
import { useTitle } from '../shell/useTitle'
import { EnrolSteps } from './EnrolPage'
import { KnownForm } from './KnownForm'
import { NewcomerForm } from './NewcomerForm'
import { ResetForm } from './ResetForm'
import './Signin.css'

export type LinkInfo = { purpose: 'setup' | 'invite' | 'reset'; email: string | null; org_name: string | null; known?: boolean }
export type LinkAnswer = { name?: string; email?: string; password?: string; code?: string }
export type UseLink = (answer: LinkAnswer) => Promise<void>

/** A single-use link: first set-up, invitation, or a new password. Whoever is new here makes a second factor next. */
export function LinkPage({ token }: { token: string }) {
  const { data, error } = useApi<LinkInfo>(`/links/${encodeURIComponent(token)}`, { org: null })
  const [session, setSession] = useState<Session | null>(null)
  useTitle(t('signin.title'))
  const use: UseLink = async (answer) => {
    const found = await api.post<Session>(`/links/${encodeURIComponent(token)}`, answer, { org: null })
    enter(found)
    setSession(found)
  }
  useEffect(() => {
    if (session && !session.enrol) navigate(homeOf(session), { replace: true })
  }, [session])
  return (
    <main className="eh-signin">
      <Brand />
      <div className="eh-signin-box">
        {session?.enrol ? <EnrolSteps session={session} /> : error && !data ? <Dead error={error} /> : data ? <LinkForm info={data} use={use} /> : <Skeleton lines={5} />}
      </div>
    </main>
  )
}

function Dead({ error }: { error: unknown }) {
  return (
    <>
      <h1>{t('signin.link.unusable')}</h1>
      {toApiError(error).status === 404 ? <p>{t('signin.link.dead')}</p> : <ErrorNote error={error} />}
      <Link className="eh-button" to="/signin">
        {t('signin.to-signin')}
      </Link>
    </>
  )
}

function LinkForm({ info, use }: { info: LinkInfo; use: UseLink }) {
  if (info.purpose === 'reset') return <ResetForm info={info} use={use} />
  if (info.known) return <KnownForm info={info} use={use} />
  return <NewcomerForm info={info} use={use} />
}

export function headingOf(info: LinkInfo): string {
  if (info.purpose === 'setup') return t('signin.link.setup')
  if (info.purpose === 'reset') return t('signin.link.reset')
  return info.org_name ? t('signin.link.invite', { org: info.org_name }) : t('signin.link.invite-platform')
}
