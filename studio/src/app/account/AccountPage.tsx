import { ErrorNote } from '../../ui/ErrorNote'
import { t } from '../../ui/messages'
import { Skeleton } from '../../ui/Skeleton'
import { useApi } from '../../ui/useApi'
import { PageTop } from '../shell/PageTop'
import { useSignedIn } from '../shell/session'
import { useTitle } from '../shell/useTitle'
import { AppPart } from './AppPart'
import { PasskeysPart } from './PasskeysPart'
import { PasswordPart } from './PasswordPart'
import { SessionsPart } from './SessionsPart'
import type { Security } from './types'
import './Account.css'

/** A person's own page: what they sign in with, and where they are signed in. */
export default function AccountPage() {
  const { session } = useSignedIn()
  const { data, error, reload } = useApi<Security>('/me/security', { org: null })
  useTitle(t('account.title'))
  const bound = session.method === 'provider'
  return (
    <div className="eh-account-page">
      <PageTop title={t('account.title')} />
      <main className="eh-page eh-page-narrow eh-account-body">
        <h1>{t('account.title')}</h1>
        <p className="eh-muted">{t(bound ? 'account.bound' : data?.demo && !data.app && !data.passkeys.length ? 'account.demo' : 'account.text', { email: session.person.email })}</p>
        {error && !data ? <ErrorNote error={error} retry={reload} /> : null}
        {!data && !error ? <Skeleton lines={8} /> : null}
        {data ? (
          <>
            {bound ? null : (
              <>
                <PasskeysPart passkeys={data.passkeys} />
                <AppPart security={data} />
                <PasswordPart has={data.password} />
              </>
            )}
            <SessionsPart sessions={data.sessions} changes={!bound} />
          </>
        ) : null}
      </main>
    </div>
  )
}
