import { lazy, Suspense, useEffect, useMemo, type ReactNode } from 'react'
import { Button } from '../../ui/Button'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { watchPresence } from '../../ui/presence'
import { Link, match, navigate, usePath } from '../../ui/router'
import { Skeleton } from '../../ui/Skeleton'
import { Toasts } from '../../ui/Toast'
import { applyTheme } from '../../ui/theme'
import { EnrolPage } from '../signin/EnrolPage'
import { LinkPage } from '../signin/LinkPage'
import { SigninPage } from '../signin/SigninPage'
import { AccountMenu, placesOf } from './AccountMenu'
import { useCommands, type Command } from './commands'
import { ErrorBoundary } from './ErrorBoundary'
import { MissingPage } from './MissingPage'
import { Palette, Shortcuts } from './Palette'
import { ProveDialog } from './ProveDialog'
import { homeOf, isCustomer, loadSession, signOut, useSession, type Session } from './session'
import { useKeys } from './useKeys'
import './App.css'

const openConsole = () => import('../console/ConsoleApp')
const ConsoleApp = lazy(openConsole)
const AccountPage = lazy(() => import('../account/AccountPage'))
const DirectorPage = lazy(() => import('../director/DirectorPage'))
const NeutralityPage = lazy(() => import('../neutrality/NeutralityPage'))
const OperatorPage = lazy(() => import('../operator/OperatorPage'))
const WorkspacePage = lazy(() => import('../workspace/WorkspacePage').then((module) => ({ default: module.WorkspacePage })))

export function App() {
  const state = useSession()
  const path = usePath()
  useKeys()
  useEffect(() => watchPresence(window), [])
  useEffect(() => {
    void loadSession()
    // Fetched while the session is asked for: the address says already what will be shown.
    if (location.pathname.startsWith('/console')) void openConsole()
  }, [])
  useEffect(() => {
    document.documentElement.lang = 'en'
  }, [])
  return (
    <>
      <ErrorBoundary name={path.split('/').slice(0, 3).join('/')}>
        <Suspense fallback={<Waiting />}>{route(path, state)}</Suspense>
      </ErrorBoundary>
      <Palette />
      <Shortcuts />
      <ProveDialog />
      <Toasts />
    </>
  )
}

function route(path: string, state: ReturnType<typeof useSession>): ReactNode {
  const link = match('/link/:token', path)
  if (link) return <LinkPage token={link['token'] ?? ''} />
  if (path === '/neutrality') return <NeutralityPage />
  if (state.status === 'loading') return <Waiting />
  if (state.status === 'failed')
    return (
      <main className="eh-alone">
        <ErrorNote error={state.error} retry={() => void loadSession()} />
      </main>
    )
  if (state.status === 'out') return path === '/signin' ? <SigninPage /> : <Go to={signinAddress(path)} />
  if (state.status === 'enrol') return <EnrolPage session={state.session} />
  return <SignedIn path={path} session={state.session} />
}

function signinAddress(path: string): string {
  return path === '/' ? '/signin' : `/signin?next=${encodeURIComponent(path + location.search)}`
}

function SignedIn({ path, session }: { path: string; session: Session }) {
  useCommands(useMemo(() => generalCommands(session), [session]))
  if (path === '/') return <Go to={homeOf(session)} />
  if (path === '/signin') return <Go to={nextAddress() ?? homeOf(session)} />
  if (path === '/console' || path.startsWith('/console/'))
    return session.orgs.some(isCustomer) ? <ConsoleApp /> : <NotForYou text={t('shell.no-console')} session={session} />
  if (path === '/work') return session.seats.label ? <WorkspacePage key="label" role="label" /> : <NotForYou text={t('shell.no-seat.label')} session={session} />
  if (path === '/review') return session.seats.review ? <WorkspacePage key="review" role="review" /> : <NotForYou text={t('shell.no-seat.review')} session={session} />
  if (path === '/account') return <AccountPage />
  if (path === '/operator') return session.person.operator ? <OperatorPage /> : <NotForYou text={t('shell.no-operator')} session={session} />
  if (path === '/director') return session.person.director ? <DirectorPage /> : <NotForYou text={t('shell.no-director')} session={session} />
  return <NotFound />
}

/** Only addresses of our own: `next` comes from the address bar. */
export function nextAddress(search: string = location.search): string | null {
  const next = new URLSearchParams(search).get('next')
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith('/signin') ? next : null
}

function generalCommands(session: Session): Command[] {
  return [
    ...placesOf(session).map((place) => ({ id: `place ${place.to}`, label: place.label, group: t('shell.group.places'), icon: place.icon, run: () => navigate(place.to) })),
    ...(['light', 'dark', 'system'] as const).map((theme) => ({
      id: `theme ${theme}`,
      label: t(`shell.theme.to-${theme}`),
      group: t('shell.group.account'),
      icon: 'sun' as const,
      run: () => applyTheme(theme),
    })),
    { id: 'security', label: t('account.title'), group: t('shell.group.account'), icon: 'key', words: 'passkey password session', run: () => navigate('/account') },
    { id: 'sign-out', label: t('shell.sign-out'), group: t('shell.group.account'), icon: 'external', run: () => void signOut() },
  ]
}

function Go({ to }: { to: string }) {
  useEffect(() => navigate(to, { replace: true }), [to])
  return <Waiting />
}

function Waiting() {
  return (
    <div className="eh-alone">
      <Skeleton lines={4} />
    </div>
  )
}

function NotForYou({ text, session }: { text: string; session: Session }) {
  const home = homeOf(session)
  return (
    <main className="eh-alone">
      <div className="eh-alone-bar">
        <AccountMenu compact />
      </div>
      <EmptyState
        page
        icon="info"
        title={t('shell.not-for-you')}
        text={text}
        action={
          home === location.pathname ? (
            <Button onClick={() => void signOut()}>{t('shell.sign-out')}</Button>
          ) : (
            <Link className="eh-button eh-button-primary" to={home}>
              {t('shell.go-home')}
            </Link>
          )
        }
      />
    </main>
  )
}

export function NotFound() {
  return (
    <main className="eh-alone">
      <MissingPage to="/" />
    </main>
  )
}
