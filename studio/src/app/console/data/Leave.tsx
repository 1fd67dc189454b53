import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { t } from '../../../ui/messages'
import type { Org } from '../../shell/session'
import { CopyText } from '../CopyText'
import { DeleteDialog } from './DeleteDialog'
import type { Parting } from './types'

/** Leaving: everything in this space is deleted, and a receipt is all that stays. */
export function Leave({ org, held }: { org: Org; held: boolean }) {
  const [asking, setAsking] = useState(false)
  const [left, setLeft] = useState<Parting[] | null>(null)
  const text = t(org.mode === 'live' ? 'console.leave.text-live' : 'console.leave.text-test')
  const receipts = left ? (
    <>
      <p>{t('console.leave.receipt')}</p>
      {left.map((one) => (
        <div key={one.organisation} className="eh-stack">
          <strong>{t(`console.mode.${one.mode}`)}</strong>
          <CopyText text={`${location.origin}/api/v1/leaving/${one.receipt}/evidence`} label={t('console.leave.receipt-of', { mode: t(`console.mode.${one.mode}`) })} />
        </div>
      ))}
    </>
  ) : null
  return (
    <section className="eh-card eh-stack" aria-labelledby="leave">
      <h2 id="leave">{t('console.leave')}</h2>
      <p className="eh-muted">{held ? t('console.delete.held') : text}</p>
      <div>
        <Button look="danger" icon="trash" disabled={held} onClick={() => setAsking(true)}>
          {t('console.leave.do')}
        </Button>
      </div>
      <DeleteDialog
        open={asking}
        // this space is closed: nothing of it may stay in the browser
        onClose={() => (left ? location.assign('/') : setAsking(false))}
        title={t('console.leave.title', { name: org.name })}
        text={text}
        name={org.name}
        verb={t('console.leave.do')}
        act={async () => setLeft((await api.post<{ items: Parting[] }>('/org/leave', { confirm: org.name })).items)}
        made={receipts}
      />
    </section>
  )
}
