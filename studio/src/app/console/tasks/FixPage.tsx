/** The customer mends an answer, on the surfaces that it was made on. */
import { useEffect, useMemo, useRef, useState } from 'react'
import { emptyClipboard } from '../../../surfaces/image/commands'
import type { ImageSurface } from '../../../surfaces/image/surface'
import { ErrorNote } from '../../../ui/ErrorNote'
import { t } from '../../../ui/messages'
import { guardLeaving, navigate, useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { useApi } from '../../../ui/useApi'
import { ViewerMark } from '../../../ui/ViewerMark'
import { useTitle } from '../../shell/useTitle'
import { Desk } from '../../workspace/desk'
import { Details } from '../../workspace/Details'
import { goTo } from '../../workspace/goTo'
import { Gaps } from '../../workspace/parts'
import { Stage } from '../../workspace/Stage'
import { nextToCompare } from '../../workspace/useCompared'
import { useDesk } from '../../workspace/useStore'
import { to } from '../paths'
import type { Project, Task } from '../types'
import { FixBar } from './FixBar'
import { FixDialog } from './FixDialog'
import { fixOf } from './fixing'
import { useFixKeys } from './useFixKeys'
import '../../workspace/Workbench.css'

export function FixPage({ projectId, taskId }: { projectId: string; taskId: string }) {
  const task = useApi<Task>(`/tasks/${taskId}`)
  const project = useApi<Project>(`/projects/${projectId}`)
  const [query] = useQuery()
  const error = task.error ?? project.error
  // What was loaded first is what is mended: news from the server must not pull the picture away.
  const first = useRef<{ task: Task; project: Project } | null>(null)
  if (!first.current && task.data && project.data) first.current = { task: task.data, project: project.data }
  if (first.current) return <Fix {...first.current} answer={query.get('answer')} />
  return <main className="eh-alone">{error ? <ErrorNote error={error} retry={() => (task.reload(), project.reload())} /> : <Skeleton lines={4} />}</main>
}

function Fix({ task, project, answer }: { task: Task; project: Project; answer: string | null }) {
  const desk = useMemo(() => new Desk(fixOf(task, project, answer), () => undefined), [task, project, answer])
  useDesk(desk)
  const clipboard = useMemo(emptyClipboard, [])
  const [surface, setSurface] = useState<ImageSurface | null>(null)
  const [compareWith, setCompareWith] = useState<string | null>(null)
  const [saving, setSaving] = useState(false)
  const done = useRef(false)
  const back = to.task(project.id, task.id)
  const save = (): void => (desk.check() ? setSaving(true) : goTo(desk, surface))
  useTitle(t('console.fix.title', { name: t('console.task') }))
  useFixKeys({ desk, save, compare: () => setCompareWith((now) => nextToCompare(desk, now)), enabled: !saving })
  useLeaving(() => done.current || !desk.changed)
  return (
    <div className="eh-work eh-fix">
      <FixBar task={task} project={project} desk={desk} compareWith={compareWith} onCompare={setCompareWith} onBack={() => navigate(back)} onSave={save} />
      <Gaps desk={desk} onShow={() => goTo(desk, surface)} />
      <div className="eh-work-body">
        <main className="eh-stage" aria-label={t('work.stage')}>
          <Stage desk={desk} clipboard={clipboard} compareWith={compareWith} onSurface={setSurface} />
          {task.viewer && task.data.medium !== 'image' ? <ViewerMark text={task.viewer} /> : null}
        </main>
        <aside className="eh-work-panel" aria-label={t('work.panel')}>
          <Details desk={desk} surface={surface} compareWith={compareWith} />
        </aside>
      </div>
      <FixDialog
        open={saving}
        task={task}
        desk={desk}
        onClose={() => setSaving(false)}
        onSaved={() => {
          done.current = true
          navigate(back)
        }}
      />
    </div>
  )
}

/** Work that was not saved is not left by accident. */
function useLeaving(mayLeave: () => boolean): void {
  const latest = useRef(mayLeave)
  latest.current = mayLeave
  useEffect(() => {
    const off = guardLeaving(() => latest.current() || confirm(t('console.fix.leave')))
    const closing = (event: BeforeUnloadEvent): void => {
      if (!latest.current()) event.preventDefault()
    }
    window.addEventListener('beforeunload', closing)
    return () => {
      off()
      window.removeEventListener('beforeunload', closing)
    }
  }, [])
}
