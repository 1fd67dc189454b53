import { useState, type ReactNode } from 'react'
import { TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { t } from '../../../ui/messages'

type Props = {
  open: boolean
  onClose: () => void
  title: string
  text: string
  /** What must be typed. */
  name: string
  verb: string
  act: () => Promise<unknown>
  /** What is left to show afterwards. */
  made?: ReactNode
}

/** Asks for the name of what goes, typed, before it goes for good. */
export function DeleteDialog({ open, onClose, title, text, name, verb, act, made }: Props) {
  const [typed, setTyped] = useState('')
  return (
    <FormDialog
      open={open}
      onClose={() => {
        setTyped('')
        onClose()
      }}
      title={title}
      verb={verb}
      look="danger"
      act={act}
      ready={typed === name}
      made={made ? { content: made, verb: t('console.leave.kept') } : null}
    >
      <p>{text}</p>
      <TextField label={t('console.delete.type', { name })} value={typed} onText={setTyped} autoComplete="off" spellCheck={false} required />
    </FormDialog>
  )
}
