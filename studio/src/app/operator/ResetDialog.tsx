import { useState } from 'react'
import { api, newKey } from '../../ui/api'
import { FormDialog } from '../../ui/FormDialog'
import { formatDate, t } from '../../ui/messages'
import { CopyLink } from '../console/CopyLink'
import type { OperatorPerson } from './types'

/** A single-use link with which somebody chooses a new password. */
export function ResetDialog({ person, onClose }: { person: OperatorPerson; onClose: () => void }) {
  const [link, setLink] = useState<{ link: string; expires_at: string } | null>(null)
  const make = async () => setLink(await api.post('/operator/people/reset', { email: person.email }, { key: newKey(), org: null }))
  const made = link && {
    content: (
      <CopyLink link={link.link} label={t('operator.reset.label')}>
        {t('operator.reset.link', { email: person.email, when: formatDate(link.expires_at) })}
      </CopyLink>
    ),
  }
  return (
    <FormDialog open onClose={onClose} title={t('operator.reset.title', { name: person.name || person.email })} verb={t('operator.make-link')} act={make} made={made}>
      <p>{t('operator.reset.text')}</p>
    </FormDialog>
  )
}
