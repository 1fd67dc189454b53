import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { buttonClass } from '../../../ui/Button'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuChoice, MenuItem, MenuLine } from '../../../ui/Menu'
import { formatAgo, formatDate, t } from '../../../ui/messages'
import { Table, type Column } from '../../../ui/Table'
import { toast, toastError } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import { Avatar } from '../../shell/AccountMenu'
import { useSignedIn } from '../../shell/session'
import { roles, workerRoles, type Member, type Role } from '../types'

/** Everybody in the organisation. `onRemove` is null for those who may only look. */
export function PeopleTable({ members, onRemove }: { members: readonly Member[]; onRemove: ((member: Member) => void) | null }) {
  const { session } = useSignedIn()
  const columns: Column<Member>[] = [
    { key: 'name', title: t('console.person'), cell: (member) => <Who member={member} you={member.person === session.person.id} /> },
    { key: 'role', title: t('console.role'), tight: true, cell: (member) => t(`console.role.${member.role}`) },
    { key: 'state', title: t('console.state'), tight: true, wideOnly: true, cell: (member) => <MemberState member={member} /> },
  ]
  if (onRemove)
    columns.push({
      key: 'do',
      title: t('ui.more'),
      hideTitle: true,
      tight: true,
      cell: (member) => (member.person === session.person.id ? null : <MemberMenu member={member} onRemove={onRemove} />),
    })
  return <Table label={t('console.people')} rows={members} rowKey={(member) => member.person} columns={columns} />
}

function Who({ member, you }: { member: Member; you: boolean }) {
  const sub = member.source === 'pool' ? t('console.people.pool') : member.name ? member.email : ''
  return (
    <span className="eh-person">
      <Avatar name={member.name || member.email} />
      <span className="eh-grow eh-person-name">
        <span>
          <strong className="eh-break">{member.name || member.email}</strong>
          {you ? <span className="eh-muted"> {t('console.people.you')}</span> : null}
        </span>
        {sub ? <span className="eh-muted eh-small eh-break">{sub}</span> : null}
      </span>
    </span>
  )
}

function MemberState({ member }: { member: Member }) {
  if (member.state === 'active') return <Badge look="ok">{t('console.people.active')}</Badge>
  return (
    <Badge look="warn" title={member.expires_at ? formatDate(member.expires_at, 'full') : undefined}>
      {member.expires_at ? t('console.people.invited-until', { when: formatAgo(member.expires_at) }) : t('console.people.invited')}
    </Badge>
  )
}

function MemberMenu({ member, onRemove }: { member: Member; onRemove: (member: Member) => void }) {
  const name = member.name || member.email
  const setRole = async (role: Role) => {
    try {
      await api.patch(`/members/${member.person}`, { role })
      refresh('/members')
      toast(t('console.people.role-now', { name, role: t(`console.role.${role}`) }), 'ok')
    } catch (error) {
      toastError(error)
    }
  }
  // Whom the operator lends can't become staff here.
  const offered = member.source === 'pool' ? workerRoles : roles
  return (
    <Menu
      button={
        <button type="button" className={buttonClass('quiet', true, true)} aria-label={t('console.more-for', { name })}>
          <Icon name="more" />
        </button>
      }
    >
      <MenuChoice<Role>
        label={t('console.role')}
        value={member.role}
        options={offered.map((role) => ({ value: role, label: t(`console.role.${role}`), hint: t(`console.role.${role}.text`) }))}
        onChange={(role) => void setRole(role)}
      />
      <MenuLine />
      <MenuItem danger icon="trash" onSelect={() => onRemove(member)}>
        {t('console.people.remove')}
      </MenuItem>
    </Menu>
  )
}
