import { useState } from 'react'
import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button, buttonClass } from '../../../ui/Button'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Confirm } from '../../../ui/FormDialog'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuItem } from '../../../ui/Menu'
import { formatAgo, formatDate, formatNumber, t } from '../../../ui/messages'
import { Progress } from '../../../ui/Progress'
import { Link, navigate, useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { toast, toastError } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { batchLook, honestPercent, doneShare, wanted } from '../numbers'
import { to } from '../paths'
import type { Batch, List, Project } from '../types'
import { NewBatchDialog } from './NewBatchDialog'

type Verb = 'finalize' | 'pause' | 'resume' | 'cancel'

const verbs: Record<Batch['state'], readonly Verb[]> = {
  staging: ['finalize', 'cancel'],
  in_progress: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  completed: [],
  cancelled: [],
}

export function BatchesTab({ project }: { project: Project }) {
  const list = useApi<List<Batch>>(`/projects/${project.id}/batches`, { query: { limit: 200 }, poll: 8_000 })
  const { org } = useSignedIn()
  const [query, setQuery] = useQuery()
  const [cancelling, setCancelling] = useState<Batch | null>(null)
  const writes = mayWrite(org)
  const act = async (batch: Batch, verb: Verb) => {
    await api.post(`/batches/${batch.id}/${verb}`)
    refresh(`/projects/${project.id}`)
    toast(t(`console.batch.did.${verb}`, { name: batch.name }), 'ok')
  }
  const rows = list.data?.items ?? []
  return (
    <>
      <div className="eh-section-head">
        <p className="eh-muted">{t('console.batches.text')}</p>
        {writes ? (
          <Button icon="plus" onClick={() => setQuery({ new: '1' })}>
            {t('console.batch.new')}
          </Button>
        ) : null}
      </div>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Skeleton lines={5} height={28} /> : null}
      {list.data && rows.length === 0 ? <EmptyState icon="box" title={t('console.batches.none')} text={t('console.batches.none.text')} /> : null}
      {rows.length ? (
        <Table
          label={t('console.tab.batches')}
          rows={rows}
          rowKey={(batch) => batch.id}
          onOpen={(batch) => navigate(to.tasks(project.id, { batch: batch.id }))}
          columns={[
            { key: 'name', title: t('console.batch'), cell: (batch) => <Link to={to.tasks(project.id, { batch: batch.id })}>{batch.name}</Link> },
            {
              key: 'state',
              title: t('console.state'),
              tight: true,
              cell: (batch) => (
                <Badge look={batchLook[batch.state]} dot>
                  {t(`console.batch.state.${batch.state}`)}
                </Badge>
              ),
            },
            {
              key: 'bar',
              title: t('console.five.far'),
              wideOnly: true,
              cell: (batch) => <Progress label={t('console.progress-of', { name: batch.name })} total={wanted(batch.counts)} parts={[{ value: batch.counts.done, look: 'ok' }, { value: batch.counts.review, look: 'warn' }]} />,
            },
            { key: 'share', title: '%', number: true, tight: true, cell: (batch) => honestPercent(doneShare(batch.counts)) },
            { key: 'n', title: t('console.tab.tasks'), number: true, cell: (batch) => formatNumber(batch.counts.total) },
            { key: 'priority', title: t('console.priority'), number: true, cell: (batch) => batch.priority, wideOnly: true },
            { key: 'at', title: t('console.created'), tight: true, wideOnly: true, cell: (batch) => <span title={formatDate(batch.created_at, 'full')}>{formatAgo(batch.created_at)}</span> },
            {
              key: 'do',
              title: t('ui.more'),
              hideTitle: true,
              tight: true,
              cell: (batch) =>
                writes && verbs[batch.state].length ? (
                  <Menu
                    button={
                      <button type="button" className={buttonClass('quiet', true, true)} aria-label={t('console.more-for', { name: batch.name })}>
                        <Icon name="more" />
                      </button>
                    }
                  >
                    {verbs[batch.state].map((verb) => (
                      <MenuItem
                        key={verb}
                        danger={verb === 'cancel'}
                        hint={verb === 'finalize' ? t('console.batch.finalize.hint') : undefined}
                        onSelect={() => (verb === 'cancel' ? setCancelling(batch) : void act(batch, verb).catch(toastError))}
                      >
                        {t(`console.batch.do.${verb}`)}
                      </MenuItem>
                    ))}
                  </Menu>
                ) : null,
            },
          ]}
        />
      ) : null}
      <NewBatchDialog project={project} open={query.get('new') === '1'} onClose={() => setQuery({ new: null }, { replace: true })} />
      <Confirm
        open={cancelling !== null}
        onClose={() => setCancelling(null)}
        title={t('console.batch.cancel-title', { name: cancelling?.name ?? '' })}
        verb={t('console.batch.do.cancel')}
        look="danger"
        act={() => (cancelling ? act(cancelling, 'cancel') : Promise.resolve())}
      >
        <p>{t('console.batch.cancel-text', { count: cancelling ? wanted(cancelling.counts) - cancelling.counts.done : 0 })}</p>
      </Confirm>
    </>
  )
}
