import { useState } from 'react'
import { Button } from '../../../ui/Button'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Checkbox } from '../../../ui/Field'
import { formatDate, t } from '../../../ui/messages'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { useApi } from '../../../ui/useApi'
import { useTitle } from '../../shell/useTitle'
import { downloadUrl, startDownload } from '../download'
import { factText } from '../facts'
import type { AuditItem, List, Member, Project } from '../types'
import { usePages } from '../usePages'

/** Who did what, in order: facts, not opinions. Each picture of a page that somebody opened is one, so those are asked for. */
export function AuditPage() {
  const [files, setFiles] = useState(false)
  const { items, loading, error, more, reload } = usePages<AuditItem>('/audit', { limit: 100, files })
  const projects = useApi<List<Project>>('/projects', { query: { limit: 200 } })
  const members = useApi<List<Member>>('/members', { query: { limit: 200 } })
  const names = new Map<string, string>()
  for (const project of projects.data?.items ?? []) names.set(project.id, project.name)
  for (const member of members.data?.items ?? []) names.set(member.person, member.name || member.email)
  useTitle(t('console.audit'))
  return (
    <div className="eh-page">
      <div className="eh-page-head">
        <h1>{t('console.audit')}</h1>
        <Button onClick={() => startDownload(downloadUrl('/trust/bundle'), 'evidence.zip')}>{t('console.audit.evidence')}</Button>
        <Button busy={loading && items.length > 0} onClick={reload}>
          {t('console.audit.newest')}
        </Button>
      </div>
      <p className="eh-muted">{t('console.audit.text')}</p>
      <p className="eh-muted">{t('console.audit.evidence.text')}</p>
      <Checkbox label={t('console.audit.files')} checked={files} onChecked={setFiles} />
      <ErrorNote error={error} retry={reload} />
      {loading && !items.length ? <Skeleton lines={8} height={24} /> : null}
      {!loading && !error && !items.length ? <EmptyState icon="log" title={t('console.audit.none')} text={t('console.audit.none.text')} /> : null}
      {items.length ? (
        <Table
          label={t('console.audit')}
          rows={items.map((item, at) => ({ ...item, at_row: at }))}
          rowKey={(item) => String(item.at_row)}
          columns={[
            { key: 'at', title: t('console.when'), tight: true, cell: (item) => <time dateTime={item.at} title={formatDate(item.at, 'full')}>{formatDate(item.at)}</time> },
            { key: 'who', title: t('console.who'), cell: (item) => item.who },
            { key: 'what', title: t('console.what'), cell: (item) => factText(item.what) },
            { key: 'about', title: t('console.about'), cell: (item) => <About id={item.about ?? ''} names={names} />, wideOnly: true },
          ]}
        />
      ) : null}
      {more ? (
        <div>
          <Button busy={loading} onClick={more}>
            {t('ui.show-more')}
          </Button>
        </div>
      ) : null}
    </div>
  )
}

/** By name where it has one here; the id otherwise, to search the task browser with. */
function About({ id, names }: { id: string; names: ReadonlyMap<string, string> }) {
  const name = names.get(id)
  if (name) return <span>{name}</span>
  return <span className={/^[0-9a-f]{24}$/.test(id) ? 'eh-mono eh-muted eh-break' : 'eh-muted eh-break'}>{id}</span>
}
