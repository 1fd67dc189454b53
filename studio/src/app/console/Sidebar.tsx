import { useEffect } from 'react'
import { Badge } from '../../ui/Badge'
import { buttonClass, IconButton } from '../../ui/Button'
import { Icon, type IconName } from '../../ui/Icon'
import { Kbd } from '../../ui/Kbd'
import { Menu, MenuChoice } from '../../ui/Menu'
import { t } from '../../ui/messages'
import { Link, navigate } from '../../ui/router'
import { AccountMenu } from '../shell/AccountMenu'
import { Brand } from '../shell/Brand'
import { openPalette } from '../shell/commands'
import { isCustomer, mayManage, useSignedIn } from '../shell/session'
import { to } from './paths'
import type { Project } from './types'

export function Sidebar({ open, onClose, rest, projects }: { open: boolean; onClose: () => void; rest: string; projects: readonly Project[] }) {
  useEffect(() => {
    if (!open) return
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && onClose()
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [open, onClose])
  const { org } = useSignedIn()
  const is = (path: string) => (path === '/' ? rest === '/' || rest === '' : rest.startsWith(path))
  return (
    <>
      {open ? <div className="eh-side-scrim" onClick={onClose} aria-hidden="true" /> : null}
      <header className={open ? 'eh-side eh-side-open' : 'eh-side'}>
        <div className="eh-row eh-side-brand">
          <Link to={to.home()} className="eh-grow eh-side-home" aria-label={t('console.home-of', { name: t('shell.name') })}>
            <Brand small />
          </Link>
          <span className="eh-side-close">
            <IconButton label={t('ui.close')} icon="close" onClick={onClose} />
          </span>
        </div>
        <OrgMenu />
        <button type="button" className="eh-side-search" onClick={openPalette}>
          <Icon name="search" />
          <span className="eh-grow">{t('console.find')}</span>
          <Kbd keys="Mod+K" />
        </button>
        <nav className="eh-side-nav" aria-label={t('console.nav')}>
          <SideLink to={to.home()} icon="home" here={is('/')} label={t('console.home')} />
          <SideLink to={to.projects()} icon="folder" here={rest === '/projects'} label={t('console.projects')} />
          {projects.length ? (
            <ul className="eh-side-projects">
              {projects
                .filter((project) => project.state !== 'archived')
                .slice(0, 12)
                .map((project) => (
                  <li key={project.id}>
                    <Link
                      to={to.project(project.id)}
                      className="eh-side-link"
                      {...(rest.startsWith(`/projects/${project.id}`) ? { 'aria-current': 'page' as const } : {})}
                    >
                      <span className="eh-grow eh-ellipsis">{project.name}</span>
                    </Link>
                  </li>
                ))}
            </ul>
          ) : null}
          {org?.project ? null : <OrgLinks is={is} />}
        </nav>
        <div className="eh-side-foot">
          <AccountMenu />
        </div>
      </header>
    </>
  )
}

/** What a grant to support does not open is not offered. */
function OrgLinks({ is }: { is: (path: string) => boolean }) {
  const { org } = useSignedIn()
  const support = org?.role === 'support'
  return (
    <>
      <SideLink to={to.deliveries()} icon="box" here={is('/deliveries')} label={t('console.deliveries')} />
      <div className="eh-side-head">{t('console.organisation')}</div>
      <SideLink to={to.people()} icon="people" here={is('/people')} label={t('console.people')} />
      <SideLink to={to.support()} icon="swap" here={is('/support')} label={t('console.support')} />
      {support ? null : (
        <>
          <SideLink to={to.keys()} icon="key" here={is('/keys')} label={t('console.keys')} />
          {mayManage(org) ? <SideLink to={to.access()} icon="gear" here={is('/access')} label={t('console.access')} /> : null}
          {mayManage(org) ? <SideLink to={to.encryption()} icon="lock" here={is('/encryption')} label={t('console.encryption')} /> : null}
          <SideLink to={to.data()} icon="history" here={is('/data')} label={t('console.data')} />
          <SideLink to={to.trust()} icon="log" here={is('/trust') || is('/audit')} label={t('console.trust')} />
        </>
      )}
    </>
  )
}

function SideLink({ to: address, icon, here, label }: { to: string; icon: IconName; here: boolean; label: string }) {
  return (
    <Link to={address} className="eh-side-link" {...(here ? { 'aria-current': 'page' as const } : {})}>
      <Icon name={icon} />
      <span className="eh-grow eh-ellipsis">{label}</span>
    </Link>
  )
}

/** Organisation, and its live or test space: two walls, one switch. */
function OrgMenu() {
  const { session, org } = useSignedIn()
  const orgs = session.orgs.filter(isCustomer)
  if (!org) return null
  return (
    <Menu
      label={t('console.switch-org')}
      button={
        <button type="button" className={buttonClass('plain', false, false, 'eh-org')}>
          <span className="eh-sr">{t('console.organisation')}</span>
          <span className="eh-grow eh-ellipsis">{org.name}</span>
          <Badge look={org.mode === 'test' ? 'warn' : 'ok'}>{t(`console.mode.${org.mode}`)}</Badge>
          <Icon name="chevron" />
        </button>
      }
    >
      <MenuChoice
        label={t('console.switch-org')}
        value={org.id}
        options={orgs.map((item) => ({
          value: item.id,
          label: `${item.name} · ${t(`console.mode.${item.mode}`)}`,
          hint: item.mode === 'test' ? t('console.mode.test.hint') : undefined,
        }))}
        onChange={(id) => navigate(`/console/${id}`)}
      />
    </Menu>
  )
}
