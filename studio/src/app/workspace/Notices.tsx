/** What the annotator has to be told, plainly, until it is put away. */
import { IconButton } from '../../ui/Button'
import { Icon } from '../../ui/Icon'
import type { TaskLoop } from './loop'
import type { Notice } from './loopState'
import { say } from './phrases'
import './Notices.css'

export function wordsOf(notice: Notice): string {
  return say(`work.notice.${notice.kind}`, { name: notice.title, text: notice.text }).trim()
}

export function Notices({ loop, notices }: { readonly loop: TaskLoop; readonly notices: readonly Notice[] }) {
  return (
    <div className="eh-notices" role="region" aria-label={say('work.notices')}>
      <div role="status" aria-live="polite">
        {notices.slice(-3).map((notice) => (
          <div key={notice.id} className={notice.kind === 'refused' ? 'eh-notice eh-notice-danger' : 'eh-notice'}>
            <Icon name={notice.kind === 'note' ? 'info' : 'warn'} />
            <span className="eh-grow">{wordsOf(notice)}</span>
            <IconButton label={say('work.notice.dismiss')} icon="close" small onClick={() => loop.dismiss(notice.id)} />
          </div>
        ))}
      </div>
    </div>
  )
}
