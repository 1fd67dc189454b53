import { t } from '../../ui/messages'

/** Two equal arms: the sign of the house. */
export function Brand({ small }: { small?: boolean }) {
  const size = small ? 20 : 26
  return (
    <span className={small ? 'eh-brand eh-brand-small' : 'eh-brand'}>
      <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
        <path d="M12 4v16M8 20h8M4 7h16M4 7l-2 6a3 3 0 0 0 4 0zM20 7l-2 6a3 3 0 0 0 4 0z" />
      </svg>
      {t('shell.name')}
    </span>
  )
}
