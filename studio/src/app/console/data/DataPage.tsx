import { ErrorNote } from '../../../ui/ErrorNote'
import { t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import { Deletions } from './Deletions'
import { Holds } from './Holds'
import { Leave } from './Leave'
import { Names } from './Names'
import { TakeEverything } from './TakeEverything'
import type { List, Project } from '../types'
import { pollOf, type DataView } from './types'

/** What the organisation keeps: taking everything, holds, deletions, leaving. */
export function DataPage() {
  const { data, error, reload } = useApi<DataView>('/org/data', { poll: pollOf })
  const projects = useApi<List<Project>>('/projects', { query: { limit: 200 } })
  const { org } = useSignedIn()
  const manages = mayManage(org)
  useTitle(t('console.data'))
  return (
    <div className="eh-page eh-page-narrow">
      <h1>{t('console.data')}</h1>
      {manages ? <TakeEverything name={org?.name ?? ''} /> : null}
      <Names manages={manages} />
      {data ? (
        <>
          <Holds path="/org/hold" project="" names={namesOf(projects.data?.items ?? [])} holds={data.holds} manages={manages} />
          <Deletions rows={data.deletions} />
          {manages && org ? <Leave org={org} held={data.holds.length > 0} /> : null}
        </>
      ) : error ? (
        <ErrorNote error={error} retry={reload} />
      ) : (
        <Skeleton lines={6} />
      )}
    </div>
  )
}

function namesOf(projects: readonly Project[]): ReadonlyMap<string, string> {
  return new Map(projects.map((project) => [project.id, project.name]))
}
