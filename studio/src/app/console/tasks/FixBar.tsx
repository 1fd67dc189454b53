import { Badge } from '../../../ui/Badge'
import { Button, IconButton } from '../../../ui/Button'
import { Kbd } from '../../../ui/Kbd'
import { t } from '../../../ui/messages'
import { CompareList } from '../../workspace/CompareList'
import type { Desk } from '../../workspace/desk'
import type { Project, Task } from '../types'
import '../../workspace/TopBar.css'
import '../../workspace/ReviewBar.css'

interface Props {
  task: Task
  project: Project
  desk: Desk
  compareWith: string | null
  onCompare: (id: string | null) => void
  onBack: () => void
  onSave: () => void
}

/** What is mended, whose answer it began from, and the way out. */
export function FixBar({ task, project, desk, compareWith, onCompare, onBack, onSave }: Props) {
  return (
    <header className="eh-bar" aria-label={t('work.bar')}>
      <IconButton label={t('console.fix.back')} icon="left" onClick={onBack} />
      <div className="eh-bar-task">
        <h1 className="eh-bar-name eh-ellipsis">{t('console.fix.title', { name: task.name ?? t('console.task') })}</h1>
        <span className="eh-bar-project eh-ellipsis">{project.name}</span>
      </div>
      <CompareList desk={desk} compareWith={compareWith} onCompare={onCompare} />
      {desk.changed ? <Badge look="warn">{t('work.review.changed')}</Badge> : null}
      <div className="eh-bar-tools">
        <IconButton label={t('work.undo')} icon="undo" keys="Mod+Z" onClick={() => desk.document?.undo()} />
        <IconButton label={t('work.redo')} icon="history" keys="Mod+Shift+Z" onClick={() => desk.document?.redo()} />
      </div>
      <div className="eh-bar-act">
        <Button look="primary" className="eh-bar-submit" disabled={!desk.changed} onClick={onSave} aria-keyshortcuts="Control+Enter Meta+Enter">
          {t('console.decide.fix-send')}
          <Kbd keys="Mod+Enter" />
        </Button>
      </div>
    </header>
  )
}
