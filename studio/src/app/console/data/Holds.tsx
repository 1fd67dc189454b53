import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { AreaField } from '../../../ui/Field'
import { Confirm, FormDialog } from '../../../ui/FormDialog'
import { formatDate, t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'
import type { Hold } from './types'

/** Legal holds, and setting or releasing one. `path`: of the noun that is held; `project`: its id, "" for the organisation;
    `names`: of projects that can be held. */
export function Holds({ path, project, names, holds, manages }: { path: string; project: string; names: ReadonlyMap<string, string>; holds: Hold[]; manages: boolean }) {
  const [asking, setAsking] = useState<'set' | 'release' | null>(null)
  const [reason, setReason] = useState('')
  const own = holds.some((hold) => hold.project === project)
  const done = () => {
    setAsking(null)
    setReason('')
    refresh(path.replace(/\/hold$/, ''))
  }
  return (
    <section className="eh-card eh-stack" aria-labelledby="holds">
      <div className="eh-section-head">
        <h2 id="holds">{t('console.hold')}</h2>
        {manages ? (
          <Button small onClick={() => setAsking(own ? 'release' : 'set')}>
            {t(own ? 'console.hold.release' : 'console.hold.set')}
          </Button>
        ) : null}
      </div>
      <p className="eh-muted">{t(holds.length ? 'console.hold.text' : 'console.hold.none')}</p>
      {holds.map((hold) => (
        <p key={hold.project} className="eh-break">
          <strong>{holdText(hold, project, names)}</strong> {hold.reason}
        </p>
      ))}
      <FormDialog
        open={asking === 'set'}
        onClose={() => setAsking(null)}
        title={t('console.hold.set')}
        verb={t('console.hold.set')}
        ready={reason.trim() !== ''}
        act={async () => {
          await api.put(path, { reason: reason.trim() })
          done()
        }}
      >
        <p>{t('console.hold.set-text')}</p>
        <AreaField label={t('console.hold.reason')} value={reason} onText={setReason} required maxLength={2000} />
      </FormDialog>
      <Confirm
        open={asking === 'release'}
        onClose={() => setAsking(null)}
        title={t('console.hold.release')}
        verb={t('console.hold.release')}
        act={async () => {
          await api.del(path)
          done()
        }}
      >
        <p>{t('console.hold.release-text')}</p>
      </Confirm>
    </section>
  )
}

function holdText(hold: Hold, project: string, names: ReadonlyMap<string, string>): string {
  const when = formatDate(hold.since, 'date')
  if (hold.project === '') return t('console.hold.organisation', { when })
  if (hold.project === project) return t('console.hold.this', { when })
  const name = names.get(hold.project)
  return name === undefined ? t('console.hold.a-project', { when }) : t('console.hold.named', { name, when })
}
