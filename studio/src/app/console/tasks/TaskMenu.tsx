import { useState } from 'react'
import { api, newKey } from '../../../ui/api'
import { buttonClass } from '../../../ui/Button'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuItem } from '../../../ui/Menu'
import { t } from '../../../ui/messages'
import { toast, toastError } from '../../../ui/Toast'
import { KnownDialog } from '../quality/KnownDialog'
import type { Task } from '../types'

/** What can be done with one task, beside judging its answer. */
export function TaskMenu({ task, onChanged }: { task: Task; onChanged: () => void }) {
  const [knowing, setKnowing] = useState(false)
  const act = async (verb: 'cancel' | 'requeue') => {
    try {
      await api.post(`/tasks/${task.id}/${verb}`, {}, { key: newKey() })
      toast(t(verb === 'cancel' ? 'console.task.canceled' : 'console.task.requeued'), 'ok')
      onChanged()
    } catch (caught) {
      toastError(caught)
    }
  }
  return (
    <>
      <Menu
        button={
          <button type="button" className={buttonClass('quiet', false, true)} aria-label={t('ui.more')}>
            <Icon name="more" />
          </button>
        }
      >
        <MenuItem icon="undo" hint={t('console.requeue.one.hint')} onSelect={() => void act('requeue')}>
          {t('console.requeue')}
        </MenuItem>
        {task.state === 'done' && task.result ? (
          <MenuItem icon="check" onSelect={() => setKnowing(true)}>
            {t('console.known')}
          </MenuItem>
        ) : null}
        <MenuItem icon="copy" onSelect={() => void navigator.clipboard.writeText(task.id).then(() => toast(t('ui.copied'), 'ok'), toastError)}>
          {t('console.task.copy-id')}
        </MenuItem>
        {task.state === 'done' || task.state === 'canceled' ? null : (
          <MenuItem danger icon="close" onSelect={() => void act('cancel')}>
            {t('console.cancel-task')}
          </MenuItem>
        )}
      </Menu>
      <KnownDialog open={knowing} task={task} onClose={() => setKnowing(false)} />
    </>
  )
}
