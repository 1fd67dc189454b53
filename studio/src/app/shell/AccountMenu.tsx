import { useState } from 'react'
import { buttonClass } from '../../ui/Button'
import { Icon } from '../../ui/Icon'
import { Menu, MenuChoice, MenuItem, MenuLine } from '../../ui/Menu'
import { t } from '../../ui/messages'
import { navigate, usePath } from '../../ui/router'
import { applyTheme, readTheme, type Theme } from '../../ui/theme'
import { toastError } from '../../ui/Toast'
import { openPalette, openShortcuts } from './commands'
import { isCustomer, signOut, useSession, type Session } from './session'

/** The places that this person can go to. */
export function placesOf(session: Session): { to: string; label: string; icon: 'home' | 'edit' | 'check' | 'gear' | 'log' }[] {
  return [
    ...(session.orgs.some(isCustomer) ? [{ to: '/console', label: t('shell.place.console'), icon: 'home' as const }] : []),
    ...(session.seats.label ? [{ to: '/work', label: t('shell.place.work'), icon: 'edit' as const }] : []),
    ...(session.seats.review ? [{ to: '/review', label: t('shell.place.review'), icon: 'check' as const }] : []),
    ...(session.person.director ? [{ to: '/director', label: t('shell.place.director'), icon: 'log' as const }] : []),
    ...(session.person.operator ? [{ to: '/operator', label: t('shell.place.operator'), icon: 'gear' as const }] : []),
  ]
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  return ((words[0]?.[0] ?? '?') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase()
}

/** Initials as decoration: they are no text for anybody who listens. */
export function Avatar({ name }: { name: string }) {
  return <span className="eh-avatar" aria-hidden="true" data-initials={initials(name)} />
}

/** Who is signed in; theme, other places, sign-out. `compact` shows the initials only. */
export function AccountMenu({ compact }: { compact?: boolean }) {
  const state = useSession()
  const path = usePath()
  const [theme, setTheme] = useState<Theme>(readTheme)
  if (state.status !== 'in') return null
  const { person } = state.session
  const places = placesOf(state.session).filter((place) => !path.startsWith(place.to))
  return (
    <Menu
      label={t('shell.account')}
      button={
        <button type="button" className={buttonClass('quiet', false, false, 'eh-account')}>
          <Avatar name={person.name} />
          <span className="eh-sr">{compact ? t('shell.account-of', { name: person.name }) : t('shell.account')}</span>
          {compact ? null : <span className="eh-grow eh-ellipsis eh-account-name">{person.name}</span>}
          {compact ? null : <Icon name="chevron" />}
        </button>
      }
    >
      <div className="eh-menu-label">
        {person.name}
        <br />
        {person.email}
      </div>
      <MenuLine />
      {places.map((place) => (
        <MenuItem key={place.to} icon={place.icon} onSelect={() => navigate(place.to)}>
          {place.label}
        </MenuItem>
      ))}
      {places.length ? <MenuLine /> : null}
      <MenuChoice<Theme>
        label={t('shell.theme')}
        value={theme}
        options={[
          { value: 'system', label: t('shell.theme.system') },
          { value: 'light', label: t('shell.theme.light') },
          { value: 'dark', label: t('shell.theme.dark') },
        ]}
        onChange={(next) => {
          setTheme(next)
          applyTheme(next)
        }}
      />
      <MenuLine />
      <MenuItem icon="key" onSelect={() => navigate('/account')}>
        {t('account.title')}
      </MenuItem>
      <MenuItem icon="search" keys="Mod+K" onSelect={openPalette}>
        {t('shell.palette')}
      </MenuItem>
      <MenuItem icon="question" keys="?" onSelect={openShortcuts}>
        {t('shell.shortcuts')}
      </MenuItem>
      <MenuLine />
      <MenuItem icon="external" onSelect={() => void signOut().catch(toastError)}>
        {t('shell.sign-out')}
      </MenuItem>
    </Menu>
  )
}
