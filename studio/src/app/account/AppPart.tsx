import { useState } from 'react'
import { api } from '../../ui/api'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Confirm, FormDialog } from '../../ui/FormDialog'
import { formatDate, t } from '../../ui/messages'
import { refresh } from '../../ui/useApi'
import { AppSetup } from './AppSetup'
import { RecoveryCodes } from './RecoveryCodes'
import type { Security } from './types'

type Open = 'setup' | 'remove' | 'codes' | null

/** The authenticator app and the codes that stand in for it. */
export function AppPart({ security }: { security: Security }) {
  const [open, setOpen] = useState<Open>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const close = () => {
    setOpen(null)
    setCodes(null)
    refresh('/me/security')
  }
  return (
    <section className="eh-account-part">
      <div className="eh-section-head">
        <h2>{t('account.app')}</h2>
        {security.app ? <Badge look="ok">{t('account.app.since', { when: formatDate(security.app, 'date') })}</Badge> : null}
        <Button onClick={() => setOpen('setup')}>{t(security.app ? 'account.app.again' : 'account.app.setup')}</Button>
      </div>
      <p className="eh-muted">{t('account.app.text')}</p>
      {security.app ? <p>{t('account.codes.left', { count: security.recovery_left })}</p> : null}
      {security.app ? (
        <div className="eh-row">
          <Button onClick={() => setOpen('codes')}>{t('account.codes.new')}</Button>
          <Button look="quiet" onClick={() => setOpen('remove')}>
            {t('account.app.remove')}
          </Button>
        </div>
      ) : null}
      <Dialog open={open === 'setup'} onClose={close} title={t(codes ? 'enrol.codes' : 'enrol.app')} foot={codes ? <Button look="primary" onClick={close}>{t('enrol.kept')}</Button> : null}>
        {codes ? <RecoveryCodes codes={codes} /> : open === 'setup' ? <AppSetup onDone={(done) => setCodes(done.recovery)} /> : null}
      </Dialog>
      <FormDialog
        open={open === 'codes'}
        onClose={close}
        title={t('account.codes.new')}
        verb={t('account.codes.make')}
        act={async () => setCodes((await api.post<{ recovery: string[] }>('/me/recovery', {}, { org: null })).recovery)}
        made={codes ? { content: <RecoveryCodes codes={codes} />, verb: t('enrol.kept') } : null}
      >
        <p>{t('account.codes.new-text')}</p>
      </FormDialog>
      <Confirm open={open === 'remove'} onClose={close} title={t('account.app.remove')} verb={t('account.remove')} look="danger" act={() => api.del('/me/app', { org: null })}>
        <p>{t('account.app.remove-text')}</p>
      </Confirm>
    </section>
  )
}
