import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { FieldGroup } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import type { Task } from '../types'

const purposes = ['evaluation', 'training'] as const

/** Makes a task with a known answer of a finished one. */
export function KnownDialog({ open, task, onClose }: { open: boolean; task: Task; onClose: () => void }) {
  const [purpose, setPurpose] = useState<(typeof purposes)[number]>('evaluation')
  const make = async () => {
    await api.post(`/projects/${task.project}/quality/tasks`, { task: task.id, purpose }, { key: newKey() })
    refresh(`/projects/${task.project}/quality`)
    toast(t('console.known.done'), 'ok')
    onClose()
  }
  return (
    <FormDialog open={open} onClose={onClose} title={t('console.known.title')} verb={t('console.known.do')} act={make}>
      <p className="eh-muted">{t('console.known.text')}</p>
      <FieldGroup label={t('console.quality.purpose')}>
        {purposes.map((one) => (
          <label key={one} className="eh-check">
            <input type="radio" name="purpose" checked={one === purpose} onChange={() => setPurpose(one)} />
            <span>{t(`console.known.${one}`)}</span>
          </label>
        ))}
      </FieldGroup>
    </FormDialog>
  )
}
