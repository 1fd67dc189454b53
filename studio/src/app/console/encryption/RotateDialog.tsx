import { api, newKey } from '../../../ui/api'
import { Confirm } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh } from '../../../ui/useApi'
import type { Level } from './types'

/** Asks, and makes a new version of a key. `project`: its id; "" for what belongs to the organisation as a whole. */
export function RotateDialog({ level, project = '', name = '', onClose }: { level: Level; project?: string; name?: string; onClose: () => void }) {
  const rotate = async () => {
    await api.post('/encryption/rotate', { level, project }, { key: newKey() })
    refresh('/encryption')
    toast(t('console.encryption.rotated'), 'ok')
  }
  return (
    <Confirm open onClose={onClose} title={name ? t('console.encryption.rotate-what', { name }) : t('console.encryption.rotate')} verb={t('console.encryption.rotate')} act={rotate}>
      <p>{t(`console.encryption.rotate.${level}`)}</p>
    </Confirm>
  )
}
