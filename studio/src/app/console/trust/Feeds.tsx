import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Checkbox, TextField } from '../../../ui/Field'
import { Confirm, FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { toastError } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { CopyText } from '../CopyText'
import type { List } from '../types'
import type { Feed } from './types'

/** Where the organisation's events go, for owners. */
export function Feeds() {
  const list = useApi<List<Feed>>('/trust/feeds', { poll: 10_000 })
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<Feed | null>(null)
  return (
    <section className="eh-card eh-trust-feeds">
      <div className="eh-section-head">
        <h2>{t('console.trust.feeds')}</h2>
        <Button icon="plus" onClick={() => setAdding(true)}>
          {t('console.trust.feeds.add')}
        </Button>
      </div>
      <p className="eh-muted">{t('console.trust.feeds.text')}</p>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {list.data && !list.data.items.length ? <p className="eh-muted">{t('console.trust.feeds.none')}</p> : null}
      <ul className="eh-trust-list">
        {list.data?.items.map((feed) => (
          <FeedLine key={feed.id} feed={feed} onRemove={() => setRemoving(feed)} />
        ))}
      </ul>
      <AddFeed open={adding} onClose={() => setAdding(false)} />
      <Confirm
        open={removing !== null}
        onClose={() => setRemoving(null)}
        title={t('console.trust.feeds.remove-title')}
        verb={t('console.trust.feeds.remove')}
        look="danger"
        act={async () => {
          if (!removing) return
          await api.del(`/trust/feeds/${removing.id}`)
          refresh('/trust/feeds')
        }}
      >
        <p className="eh-break">{t('console.trust.feeds.remove-text', { url: removing?.url ?? '' })}</p>
      </Confirm>
    </section>
  )
}

function FeedLine({ feed, onRemove }: { feed: Feed; onRemove: () => void }) {
  const turn = async () => {
    try {
      await api.patch(`/trust/feeds/${feed.id}`, { on: !feed.on })
      refresh('/trust/feeds')
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <li className="eh-trust-feed">
      <div className="eh-section-head">
        <strong className="eh-break">{feed.url}</strong>
        <State feed={feed} />
        <Button small look="quiet" onClick={() => void turn()}>
          {t(feed.on ? 'console.trust.feeds.switch-off' : 'console.trust.feeds.switch-on')}
        </Button>
        <Button small look="quiet" onClick={onRemove}>
          {t('console.trust.feeds.remove')}
        </Button>
      </div>
      {feed.error ? <p className="eh-trust-error">{feed.error}</p> : null}
      {feed.url.startsWith('http') ? <CopyText text={feed.secret} label={t('console.trust.feeds.secret')} shown={false} /> : null}
    </li>
  )
}

function State({ feed }: { feed: Feed }) {
  if (!feed.on) return <Badge>{t('console.trust.feeds.off')}</Badge>
  if (feed.tries) return <Badge look="danger" dot>{t('console.trust.feeds.failing', { count: feed.tries })}</Badge>
  if (feed.behind > 50) return <Badge look="warn" dot>{t('console.trust.feeds.behind', { count: feed.behind })}</Badge>
  return <Badge look="ok" dot>{t('console.trust.feeds.fine')}</Badge>
}

function AddFeed({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [url, setUrl] = useState('')
  const [everything, setEverything] = useState(false)
  const add = async () => {
    await api.post('/trust/feeds', { url: url.trim(), everything }, { key: newKey() })
    refresh('/trust/feeds')
    setUrl('')
    onClose()
  }
  return (
    <FormDialog open={open} onClose={onClose} title={t('console.trust.feeds.add')} verb={t('console.trust.feeds.add')} act={add} ready={/.:\/\/./.test(url)}>
      <TextField label={t('console.trust.feeds.url')} hint={t('console.trust.feeds.url.hint')} value={url} onText={setUrl} required />
      <Checkbox label={t('console.trust.feeds.everything')} checked={everything} onChecked={setEverything} />
    </FormDialog>
  )
}
