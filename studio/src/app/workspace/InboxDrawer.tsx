/** Rejections, answers, notes about late work; and work of this browser that the server would not take. */
import { Button } from '../../ui/Button'
import { ErrorNote } from '../../ui/ErrorNote'
import { formatAgo } from '../../ui/messages'
import { Skeleton } from '../../ui/Skeleton'
import { Drawer } from './Drawer'
import type { InboxItem, Parcel, Summary } from './types'
import { say } from './phrases'

interface Props {
  readonly state: { readonly items: readonly InboxItem[] | null; readonly error: unknown; readonly summary: Summary | null }
  readonly seenAt: string
  readonly refused: readonly Parcel[]
  readonly retry: () => void
  readonly onDrop: (id: string) => void
  readonly onClose: () => void
}

function projectName(item: InboxItem, summary: Summary | null): string {
  if (item.project === null) return ''
  if (typeof item.project !== 'string') return item.project.name
  return summary?.projects.find((one) => one.id === item.project)?.name ?? ''
}

export function InboxDrawer({ state, seenAt, refused, retry, onDrop, onClose }: Props) {
  const { items, error } = state
  return (
    <Drawer title={say('work.inbox')} onClose={onClose}>
      {refused.length ? (
        <ul className="eh-drawer-list">
          {refused.map((parcel) => (
            <li key={parcel.id} className="eh-drawer-card">
              <strong>{say('work.inbox.refused', { name: parcel.title })}</strong>
              <span>{parcel.why}</span>
              <span className="eh-muted">{say('work.inbox.refused.keep')}</span>
              <div className="eh-row">
                <Button small icon="copy" onClick={() => void navigator.clipboard.writeText(JSON.stringify('body' in parcel ? parcel.body : null, null, 2))}>
                  {say('work.inbox.refused.copy')}
                </Button>
                <Button small icon="trash" onClick={() => onDrop(parcel.id)}>
                  {say('work.inbox.refused.drop')}
                </Button>
              </div>
            </li>
          ))}
        </ul>
      ) : null}
      {items ? null : error ? <ErrorNote error={error} retry={retry} /> : <Skeleton lines={4} />}
      {items?.length === 0 && refused.length === 0 ? <p className="eh-muted">{say('work.inbox.empty')}</p> : null}
      <ul className="eh-drawer-list">
        {items?.map((item, at) => (
          <li key={at} className={item.at > seenAt ? 'eh-drawer-card eh-drawer-card-new' : 'eh-drawer-card'}>
            <strong>{say(`work.inbox.${item.kind}`)}</strong>
            <span>{item.text}</span>
            <span className="eh-small eh-muted">{[projectName(item, state.summary), formatAgo(item.at)].filter(Boolean).join(' · ')}</span>
          </li>
        ))}
      </ul>
    </Drawer>
  )
}
