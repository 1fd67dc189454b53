import { lazy, useState } from 'react'
import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button, buttonClass } from '../../../ui/Button'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuItem } from '../../../ui/Menu'
import { t } from '../../../ui/messages'
import { navigate, useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { LinkTabs } from '../../../ui/Tabs'
import { toast, toastError } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { MissingPage } from '../../shell/MissingPage'
import { mayWrite, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import { ImportDialog } from '../importing/ImportDialog'
import { projectLook } from '../numbers'
import { to } from '../paths'
import type { List, Project, ProjectState, Question } from '../types'
import { OverviewTab } from './OverviewTab'
import './Project.css'

const PilotTab = lazy(() => import('./PilotTab').then((module) => ({ default: module.PilotTab })))
const BatchesTab = lazy(() => import('./BatchesTab').then((module) => ({ default: module.BatchesTab })))
const openTasks = () => import('../tasks/TasksTab').then((module) => ({ default: module.TasksTab }))
const TasksTab = lazy(openTasks)
const QualityTab = lazy(() => import('../quality/QualityTab').then((module) => ({ default: module.QualityTab })))
const QuestionsTab = lazy(() => import('./QuestionsTab').then((module) => ({ default: module.QuestionsTab })))
const InstructionsTab = lazy(() => import('./InstructionsTab').then((module) => ({ default: module.InstructionsTab })))
const ExportTab = lazy(() => import('./ExportTab').then((module) => ({ default: module.ExportTab })))
const DataTab = lazy(() => import('../data/DataTab').then((module) => ({ default: module.DataTab })))
const SettingsTab = lazy(() => import('./SettingsTab').then((module) => ({ default: module.SettingsTab })))

// The tab that is opened most comes while its project is asked for.
if (/\/projects\/\w+\/tasks/.test(location.pathname)) void openTasks()

const tabs = ['overview', 'tasks', 'batches', 'pilot', 'quality', 'questions', 'instructions', 'export', 'settings', 'data'] as const

/** Under a grant to support the rest is refused. */
const tabsOfSupport: readonly string[] = ['overview', 'tasks', 'batches', 'quality', 'questions', 'instructions']

/** One project: its tabs are places with an address each. */
export function ProjectPage({ id, tab }: { id: string; tab: string }) {
  const { data: project, error, reload } = useApi<Project>(`/projects/${id}`, { poll: 10_000 })
  const questions = useApi<List<Question>>('/questions', { query: { project: id, open: true, limit: 200 }, poll: 30_000 })
  const { org } = useSignedIn()
  const [query, setQuery] = useQuery()
  useTitle(t(tabs.includes(tab as never) ? `console.tab.${tab as (typeof tabs)[number]}` : 'console.project'))
  if (!project && error?.status === 404)
    return <MissingPage title={t('console.project.missing')} text={t('console.project.missing.text')} to={to.projects()} label={t('console.projects')} />
  if (!project)
    return (
      <div className="eh-page">
        <h1>{t('console.project')}</h1>
        {error ? <ErrorNote error={error} retry={reload} /> : <Skeleton lines={6} />}
      </div>
    )
  const open = (questions.data?.items ?? []).filter((question) => question.answer === null).length
  const writes = mayWrite(org)
  return (
    <div className="eh-page eh-project">
      <div className="eh-page-head">
        <h1>{project.name}</h1>
        {project.stage === 'pilot' ? <Badge look="accent">{t('console.stage.pilot')}</Badge> : null}
        {project.state === 'active' ? null : <Badge look={projectLook[project.state]}>{t(`console.project.state.${project.state}`)}</Badge>}
        {writes ? (
          <>
            <Button icon="upload" onClick={() => setQuery({ import: '1' })}>
              {t('console.import')}
            </Button>
            <ProjectMenu project={project} />
          </>
        ) : null}
      </div>
      <LinkTabs
        label={t('console.project.parts')}
        value={tab}
        items={tabs.filter((item) => org?.role !== 'support' || tabsOfSupport.includes(item)).map((item) => ({ id: item, label: t(`console.tab.${item}`), to: to.project(id, item === 'overview' ? '' : item), count: item === 'questions' ? open : undefined }))}
      />
      <TabBody project={project} tab={tab} />
      {writes ? <ImportDialog project={project} open={query.get('import') === '1'} onClose={() => setQuery({ import: null }, { replace: true })} /> : null}
    </div>
  )
}

function TabBody({ project, tab }: { project: Project; tab: string }) {
  switch (tab) {
    case 'overview':
      return <OverviewTab project={project} />
    case 'pilot':
      return <PilotTab project={project} />
    case 'batches':
      return <BatchesTab project={project} />
    case 'tasks':
      return <TasksTab project={project} />
    case 'quality':
      return <QualityTab project={project} />
    case 'questions':
      return <QuestionsTab project={project} />
    case 'instructions':
      return <InstructionsTab project={project} />
    case 'export':
      return <ExportTab project={project} />
    case 'settings':
      return <SettingsTab project={project} />
    case 'data':
      return <DataTab project={project} />
    default:
      return <EmptyState icon="search" title={t('shell.not-found')} text={t('shell.not-found.text')} />
  }
}

function ProjectMenu({ project }: { project: Project }) {
  const [busy, setBusy] = useState(false)
  const change = async (state: ProjectState) => {
    setBusy(true)
    try {
      await api.patch(`/projects/${project.id}`, { state })
      refresh('/projects')
      toast(t(`console.project.now.${state}`), 'ok')
    } catch (error) {
      toastError(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Menu
      button={
        <button type="button" className={buttonClass('plain', false, true)} aria-label={t('ui.more')} aria-busy={busy}>
          <Icon name="more" />
        </button>
      }
    >
      {project.state === 'active' ? (
        <MenuItem icon="pause" hint={t('console.project.pause.hint')} onSelect={() => void change('paused')}>
          {t('console.project.pause')}
        </MenuItem>
      ) : (
        <MenuItem icon="play" onSelect={() => void change('active')}>
          {t(project.state === 'paused' ? 'console.project.resume' : 'console.project.restore')}
        </MenuItem>
      )}
      <MenuItem icon="gear" onSelect={() => navigate(to.project(project.id, 'settings'))}>
        {t('console.tab.settings')}
      </MenuItem>
      {project.state === 'archived' ? null : (
        <MenuItem icon="box" hint={t('console.project.archive.hint')} onSelect={() => void change('archived')}>
          {t('console.project.archive')}
        </MenuItem>
      )}
    </Menu>
  )
}
