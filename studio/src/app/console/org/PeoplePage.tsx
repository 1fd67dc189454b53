import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button, buttonClass } from '../../../ui/Button'
import { Confirm, Dialog } from '../../../ui/Dialog'
import { ErrorNote } from '../../../ui/ErrorNote'
import { SelectField, TextField } from '../../../ui/Field'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuChoice, MenuItem, MenuLine } from '../../../ui/Menu'
import { formatAgo, formatDate, t } from '../../../ui/messages'
import { useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { toast, toastError } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { Avatar } from '../../shell/AccountMenu'
import { mayWrite, useSignedIn } from '../../shell/session'
import { useTitle } from '../../shell/useTitle'
import { CopyText } from '../CopyText'
import type { List, Member, Role } from '../types'

export const roles: readonly Role[] = ['owner', 'manager', 'viewer', 'annotator', 'reviewer']

export function PeoplePage() {
  const list = useApi<List<Member>>('/members', { query: { limit: 200 }, poll: 30_000 })
  const { session, org } = useSignedIn()
  const [query, setQuery] = useQuery()
  const [removing, setRemoving] = useState<Member | null>(null)
  useTitle(t('console.people'))
  const writes = mayWrite(org)
  const setRole = async (member: Member, role: Role) => {
    try {
      await api.patch(`/members/${member.person}`, { role })
      refresh('/members')
      toast(t('console.people.role-now', { name: member.name || member.email, role: t(`console.role.${role}`) }), 'ok')
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <div className="eh-page">
      <div className="eh-page-head">
        <h1>{t('console.people')}</h1>
        {writes ? (
          <Button look="primary" icon="plus" onClick={() => setQuery({ invite: '1' })}>
            {t('console.people.invite')}
          </Button>
        ) : null}
      </div>
      <p className="eh-muted">{t('console.people.text')}</p>
      {list.error && !list.data ? <ErrorNote error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Skeleton lines={5} height={30} /> : null}
      {list.data ? (
        <Table
          label={t('console.people')}
          rows={list.data.items}
          rowKey={(member) => member.person}
          columns={[
            {
              key: 'name',
              title: t('console.person'),
              cell: (member) => (
                <span className="eh-person">
                  <Avatar name={member.name || member.email} />
                  <span className="eh-grow">
                    <strong>{member.name || member.email}</strong>
                    {member.person === session.person.id ? <span className="eh-muted"> {t('console.people.you')}</span> : null}
                    {member.name ? <span className="eh-muted eh-small eh-break"> {member.email}</span> : null}
                  </span>
                </span>
              ),
            },
            { key: 'role', title: t('console.role'), tight: true, cell: (member) => t(`console.role.${member.role}`) },
            {
              key: 'state',
              title: t('console.state'),
              tight: true,
              cell: (member) =>
                member.state === 'invited' ? (
                  <Badge look="warn" title={member.expires_at ? formatDate(member.expires_at, 'full') : undefined}>
                    {member.expires_at ? t('console.people.invited-until', { when: formatAgo(member.expires_at) }) : t('console.people.invited')}
                  </Badge>
                ) : (
                  <Badge look="ok">{t('console.people.active')}</Badge>
                ),
              wideOnly: true,
            },
            {
              key: 'do',
              title: t('ui.more'),
              hideTitle: true,
              tight: true,
              cell: (member) =>
                writes && member.person !== session.person.id ? (
                  <Menu
                    button={
                      <button type="button" className={buttonClass('quiet', true, true)} aria-label={t('console.more-for', { name: member.name || member.email })}>
                        <Icon name="more" />
                      </button>
                    }
                  >
                    <MenuChoice<Role>
                      label={t('console.role')}
                      value={member.role}
                      options={roles.map((role) => ({ value: role, label: t(`console.role.${role}`), hint: t(`console.role.${role}.text`) }))}
                      onChange={(role) => void setRole(member, role)}
                    />
                    <MenuLine />
                    <MenuItem danger icon="trash" onSelect={() => setRemoving(member)}>
                      {t('console.people.remove')}
                    </MenuItem>
                  </Menu>
                ) : null,
            },
          ]}
        />
      ) : null}
      <InviteDialog open={query.get('invite') === '1'} onClose={() => setQuery({ invite: null }, { replace: true })} />
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

function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('manager')
  const [made, setMade] = useState<{ link: string; expires_at: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const close = () => {
    setMade(null)
    setEmail('')
    setError(null)
    onClose()
  }
  const invite = async () => {
    if (!/.@./.test(email)) return
    setBusy(true)
    setError(null)
    try {
      setMade(await api.post<{ link: string; expires_at: string }>('/members/invite', { email: email.trim(), role }, { key: newKey() }))
      refresh('/members')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      title={t('console.people.invite')}
      onSubmit={() => void (made ? close() : invite())}
      foot={
        made ? (
          <Button type="submit" look="primary">
            {t('ui.close')}
          </Button>
        ) : (
          <>
            <Button onClick={close}>{t('ui.cancel')}</Button>
            <Button type="submit" look="primary" busy={busy} disabled={!/.@./.test(email)}>
              {t('console.people.make-link')}
            </Button>
          </>
        )
      }
    >
      {made ? (
        <>
          <p>{t('console.people.link', { email, when: formatDate(made.expires_at) })}</p>
          <CopyText text={absolute(made.link)} label={t('console.people.link-label')} />
        </>
      ) : (
        <>
          <TextField label={t('signin.email')} type="email" value={email} onText={setEmail} required />
          <SelectField<Role> label={t('console.role')} hint={t(`console.role.${role}.text`)} value={role} options={roles.map((item) => ({ value: item, label: t(`console.role.${item}`) }))} onValue={setRole} />
        </>
      )}
      <ErrorNote error={error} />
    </Dialog>
  )
}

export function absolute(link: string): string {
  return new URL(link, location.origin).href
}
