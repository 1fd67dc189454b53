import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { t } from '../../../ui/messages'
import { navigate } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { toast } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { to } from '../paths'
import type { Project } from '../types'
import { DeleteDialog } from './DeleteDialog'
import { Deletions } from './Deletions'
import { Holds } from './Holds'
import { RetentionForm } from './RetentionForm'
import { pollOf, type DataView } from './types'

/** What a project keeps and for how long, what holds it, and deleting it. */
export function DataTab({ project }: { project: Project }) {
  const path = `/projects/${project.id}`
  const { data, error, reload } = useApi<DataView>(`${path}/data`, { poll: pollOf })
  const { org } = useSignedIn()
  const manages = mayManage(org)
  if (!data) return error ? <ErrorNote error={error} retry={reload} /> : <Skeleton lines={6} />
  return (
    <div className="eh-stack eh-narrow">
      <RetentionForm key={JSON.stringify(data.retention)} project={project.id} rule={data.retention} manages={manages} />
      <Holds path={`${path}/hold`} project={project.id} names={new Map()} holds={data.holds} manages={manages} />
      <Deletions rows={data.deletions} />
      {manages ? <DeleteProject project={project} held={data.holds.length > 0} /> : null}
    </div>
  )
}

function DeleteProject({ project, held }: { project: Project; held: boolean }) {
  const [asking, setAsking] = useState(false)
  const act = async () => {
    await api.post(`/projects/${project.id}/delete`, { confirm: project.name }, { key: newKey() })
    toast(t('console.delete.begun', { name: project.name }), 'ok')
    refresh('/projects', '/org/data')
    navigate(to.data())
  }
  return (
    <section className="eh-card eh-stack" aria-labelledby="delete">
      <h2 id="delete">{t('console.delete.project')}</h2>
      <p className="eh-muted">{t(held ? 'console.delete.held' : 'console.delete.project-text')}</p>
      <div>
        <Button look="danger" icon="trash" disabled={held} onClick={() => setAsking(true)}>
          {t('console.delete.project')}
        </Button>
      </div>
      <DeleteDialog
        open={asking}
        onClose={() => setAsking(false)}
        title={t('console.delete.title', { name: project.name })}
        text={t('console.delete.project-text')}
        name={project.name}
        verb={t('console.delete.do')}
        act={act}
      />
    </section>
  )
}
