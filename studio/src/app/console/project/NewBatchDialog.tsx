import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { Checkbox, TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { refresh } from '../../../ui/useApi'
import type { Project } from '../types'

export function NewBatchDialog({ project, open, onClose }: { project: Project; open: boolean; onClose: () => void }) {
  const [name, setName] = useState('')
  const [staging, setStaging] = useState(false)
  const [priority, setPriority] = useState('0')
  const [callback, setCallback] = useState('')
  // One key until it has worked: a second try after a lost reply makes no second batch.
  const [key, setKey] = useState(newKey)
  const create = async () => {
    const body = { name: name.trim(), staging, priority: Number(priority) || 0, ...(callback.trim() ? { callback_url: callback.trim() } : {}) }
    await api.post(`/projects/${project.id}/batches`, body, { key })
    refresh(`/projects/${project.id}`)
    setName('')
    setKey(newKey())
    onClose()
  }
  return (
    <FormDialog open={open} onClose={onClose} title={t('console.batch.new')} verb={t('console.batch.create')} act={create} ready={name.trim() !== ''}>
      <TextField label={t('console.batch.name')} value={name} onText={setName} required maxLength={200} />
      <TextField label={t('console.priority')} hint={t('console.priority.hint')} type="number" value={priority} onText={setPriority} />
      <TextField label={t('console.callback-url')} hint={t('console.callback-url.hint')} type="url" value={callback} onText={setCallback} placeholder="https://" />
      <Checkbox label={t('console.batch.staging')} hint={t('console.batch.staging.hint')} checked={staging} onChecked={setStaging} />
    </FormDialog>
  )
}
