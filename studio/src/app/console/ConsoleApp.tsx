import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from 'react'
import { setOrg } from '../../ui/api'
import { IconButton } from '../../ui/Button'
import { t } from '../../ui/messages'
import { match, navigate, usePath } from '../../ui/router'
import { Skeleton } from '../../ui/Skeleton'
import { useApi } from '../../ui/useApi'
import { AccountMenu } from '../shell/AccountMenu'
import { Brand } from '../shell/Brand'
import { useCommands, type Command } from '../shell/commands'
import { ErrorBoundary } from '../shell/ErrorBoundary'
import { MissingPage } from '../shell/MissingPage'
import { chooseOrg, isCustomer, mayManage, mayWrite, useSignedIn } from '../shell/session'
import { HomePage } from './home/HomePage'
import { ProjectPage } from './project/ProjectPage'
import { ProjectsPage } from './projects/ProjectsPage'
import { Sidebar } from './Sidebar'
import { to } from './paths'
import { SupportBanner } from './support/Banner'
import type { List, Project } from './types'
import './Console.css'

const NewProjectPage = lazy(() => import('./projects/NewProjectPage').then((module) => ({ default: module.NewProjectPage })))
const PeoplePage = lazy(() => import('./org/PeoplePage').then((module) => ({ default: module.PeoplePage })))
const KeysPage = lazy(() => import('./org/KeysPage').then((module) => ({ default: module.KeysPage })))
const AccessPage = lazy(() => import('./access/AccessPage').then((module) => ({ default: module.AccessPage })))
const EncryptionPage = lazy(() => import('./encryption/EncryptionPage').then((module) => ({ default: module.EncryptionPage })))
const DataPage = lazy(() => import('./data/DataPage').then((module) => ({ default: module.DataPage })))
const SupportPage = lazy(() => import('./support/SupportPage').then((module) => ({ default: module.SupportPage })))
const TrustPage = lazy(() => import('./trust/TrustPage').then((module) => ({ default: module.TrustPage })))
const DeliveriesPage = lazy(() => import('./org/DeliveriesPage').then((module) => ({ default: module.DeliveriesPage })))
const FixPage = lazy(() => import('./tasks/FixPage').then((module) => ({ default: module.FixPage })))
const PilotPage = lazy(() => import('../workspace/WorkspacePage').then((module) => ({ default: module.PilotPage })))

/** The customer's console: /console/ORGANISATION/... */
export default function ConsoleApp() {
  const path = usePath()
  const { session, org } = useSignedIn()
  const named = path.split('/')[2] ?? ''
  const named_org = session.orgs.find((item) => item.id === named && isCustomer(item))

  useEffect(() => {
    if (named_org) chooseOrg(named_org.id)
    else if (org && !/^[0-9a-f]{24}$/.test(named)) {
      const rest = path.split('/').slice(2).filter(Boolean).join('/')
      navigate(`/console/${org.id}${rest ? `/${rest}` : ''}${location.search}`, { replace: true })
    }
  }, [named_org, org, named, path])

  if (!named_org)
    return /^[0-9a-f]{24}$/.test(named) ? (
      <main className="eh-alone">
        <MissingPage text={t('console.no-org')} to="/console" />
      </main>
    ) : null
  if (org?.id !== named_org.id) return null
  setOrg(named_org.id)
  const rest = '/' + path.split('/').slice(3).join('/')
  const pilot = match('/projects/:id/pilot/label', rest)
  if (pilot)
    return (
      <Suspense fallback={<Skeleton lines={6} />}>
        <PilotPage key={pilot['id'] ?? ''} projectId={pilot['id'] ?? ''} />
      </Suspense>
    )
  const fix = match('/projects/:id/fix/:task', rest)
  if (fix?.['task'])
    return (
      <Suspense fallback={<Skeleton lines={6} />}>
        <FixPage key={fix['task']} projectId={fix['id'] ?? ''} taskId={fix['task']} />
      </Suspense>
    )
  return <Frame key={named_org.id} rest={rest} />
}

function Frame({ rest }: { rest: string }) {
  const [menu, setMenu] = useState(false)
  const projects = useApi<List<Project>>('/projects', { query: { limit: 200 }, poll: 15_000 })
  const items = projects.data?.items
  const { org } = useSignedIn()
  useCommands(useMemo(() => consoleCommands(items ?? [], mayWrite(org), mayManage(org)), [items, org]))
  useEffect(() => setMenu(false), [rest])
  return (
    <div className="eh-console">
      <a className="eh-button eh-button-primary eh-skip" href="#content">
        {t('shell.skip')}
      </a>
      <Sidebar open={menu} onClose={() => setMenu(false)} rest={rest} projects={items ?? []} />
      <div className="eh-console-main">
        <div className="eh-console-top" role="region" aria-label={t('console.top')}>
          <IconButton label={t('console.menu')} icon="menu" aria-expanded={menu} onClick={() => setMenu(!menu)} />
          <span className="eh-grow">
            <Brand small />
          </span>
          <AccountMenu compact />
        </div>
        <SupportBanner />
        <main id="content" className="eh-console-page" tabIndex={-1}>
          <ErrorBoundary name={rest}>
            <Suspense fallback={<Skeleton lines={6} />}>{page(rest, projects, mayWrite(org))}</Suspense>
          </ErrorBoundary>
        </main>
      </div>
    </div>
  )
}

function page(rest: string, projects: ReturnType<typeof useApi<List<Project>>>, writes: boolean): ReactNode {
  if (rest === '/' || rest === '') return <HomePage projects={projects} />
  if (match('/projects', rest)) return <ProjectsPage projects={projects} />
  if (match('/new', rest) && writes) return <NewProjectPage />
  const project = match('/projects/:id/:tab?', rest)
  if (project) return <ProjectPage key={project['id'] ?? ''} id={project['id'] ?? ''} tab={project['tab'] ?? 'overview'} />
  if (match('/people', rest)) return <PeoplePage />
  if (match('/keys', rest)) return <KeysPage />
  if (match('/access', rest)) return <AccessPage />
  if (match('/encryption', rest)) return <EncryptionPage projects={projects.data?.items ?? []} />
  if (match('/data', rest)) return <DataPage />
  if (match('/support', rest)) return <SupportPage projects={projects.data?.items ?? []} />
  if (match('/trust', rest) || match('/audit', rest)) return <TrustPage />
  if (match('/deliveries', rest)) return <DeliveriesPage projects={projects.data?.items ?? []} />
  return <MissingPage to={to.home()} />
}

/** What somebody may not do is not offered. */
function consoleCommands(projects: readonly Project[], writes: boolean, manages: boolean): Command[] {
  const pages = t('console.group.pages')
  const act = t('console.group.do')
  return [
    { id: 'home', label: t('console.home'), group: pages, icon: 'home', keys: 'G H', run: () => navigate(to.home()) },
    { id: 'projects', label: t('console.projects'), group: pages, icon: 'folder', keys: 'G P', run: () => navigate(to.projects()) },
    { id: 'deliveries', label: t('console.deliveries'), group: pages, icon: 'box', keys: 'G D', run: () => navigate(to.deliveries()) },
    { id: 'people', label: t('console.people'), group: pages, icon: 'people', run: () => navigate(to.people()) },
    { id: 'keys', label: t('console.keys'), group: pages, icon: 'key', words: 'api token', run: () => navigate(to.keys()) },
    { id: 'data', label: t('console.data'), group: pages, icon: 'history', words: 'retention hold delete archive leave', run: () => navigate(to.data()) },
    { id: 'trust', label: t('console.trust'), group: pages, icon: 'log', words: 'audit log evidence', run: () => navigate(to.trust()) },
    ...(writes ? [{ id: 'new', label: t('console.project.new'), group: act, icon: 'plus' as const, keys: 'N', run: () => navigate(to.newProject()) }] : []),
    ...(manages
      ? [
          { id: 'invite', label: t('console.people.invite'), group: act, icon: 'plus' as const, run: () => navigate(`${to.people()}?invite=1`) },
          { id: 'access', label: t('console.access'), group: pages, icon: 'gear' as const, words: 'sso oidc network ip session', run: () => navigate(to.access()) },
          { id: 'encryption', label: t('console.encryption'), group: pages, icon: 'lock' as const, words: 'kms vault rotate revoke', run: () => navigate(to.encryption()) },
          { id: 'new-key', label: t('console.keys.new'), group: act, icon: 'plus' as const, run: () => navigate(`${to.keys()}?new=1`) },
        ]
      : []),
    ...projects.map((project) => ({
      id: `project ${project.id}`,
      label: project.name,
      group: t('console.projects'),
      icon: 'folder' as const,
      run: () => navigate(to.project(project.id)),
    })),
  ]
}
