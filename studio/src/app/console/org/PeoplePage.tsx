import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Confirm } from '../../../ui/FormDialog'
import { ErrorNote } from '../../../ui/ErrorNote'
import { t } from '../../../ui/messages'
import { useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { refresh, useApi } from '../../../ui/useApi'
import { mayManage, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import type { List, Member } from '../types'
import { InviteDialog } from './InviteDialog'
import { PeopleTable } from './PeopleTable'

export function PeoplePage() {
  const list = useApi<List<Member>>('/members', { query: { limit: 200 }, poll: 30_000 })
  const { org } = useSignedIn()
  const [query, setQuery] = useQuery()
  const [removing, setRemoving] = useState<Member | null>(null)
  useTitle(t('console.people'))
  const manages = mayManage(org)
  return (
    <div className="eh-page">
      <div className="eh-page-head">
        <h1>{t('console.people')}</h1>
        {manages ? (
          <Button look="primary" icon="plus" onClick={() => setQuery({ invite: '1' })}>
            {t('console.people.invite')}
          </Button>
        ) : null}
      </div>
      <p className="eh-muted eh-narrow">{t('console.people.text')}</p>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Skeleton lines={5} height={30} /> : null}
      {list.data ? <PeopleTable members={list.data.items} onRemove={manages ? setRemoving : null} /> : null}
      {manages ? <InviteDialog open={query.get('invite') === '1'} onClose={() => setQuery({ invite: null }, { replace: true })} /> : null}
      <Confirm
        open={removing !== null}
        onClose={() => setRemoving(null)}
        title={t('console.people.remove-title', { name: removing?.name || removing?.email || '' })}
        verb={t('console.people.remove')}
        look="danger"
        act={async () => {
          if (!removing) return
          await api.del(`/members/${removing.person}`)
          refresh('/members')
        }}
      >
        <p>{t('console.people.remove-text')}</p>
      </Confirm>
    </div>
  )
}
