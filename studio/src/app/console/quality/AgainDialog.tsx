import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { AreaField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { sendOnEnter } from '../../../ui/sendOnEnter'
import { toast } from '../../../ui/Toast'
import { put } from '../../../ui/useApi'
import type { Labeler, Project, ProjectQuality } from '../types'

/** A human decision with a reason: who failed the course may try once more. */
export function AgainDialog({ project, labeler, onClose }: { project: Project; labeler: Labeler | null; onClose: () => void }) {
  const [because, setBecause] = useState('')
  const allow = async () => {
    if (!labeler) return
    const path = `/projects/${project.id}/quality`
    put(path, await api.post<ProjectQuality>(`${path}/again`, { person: labeler.person, because: because.trim() }, { key: newKey() }))
    toast(t('console.quality.again.done', { name: labeler.name }), 'ok')
    setBecause('')
    onClose()
  }
  return (
    <FormDialog open={labeler !== null} onClose={onClose} title={t('console.quality.again.title', { name: labeler?.name ?? '' })} verb={t('console.quality.again')} act={allow} ready={because.trim() !== ''}>
      <p className="eh-muted">{t('console.quality.again.text')}</p>
      <AreaField label={t('console.quality.again.because')} hint={t('console.quality.again.because.hint')} rows={3} maxLength={2000} required autoFocus value={because} onText={setBecause} onKeyDown={sendOnEnter} />
    </FormDialog>
  )
}
