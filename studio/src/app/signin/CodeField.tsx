import { TextField } from '../../ui/Field'

/** What an authenticator app shows, or a recovery code. */
export function CodeField(props: { label: string; value: string; onText: (text: string) => void; hint?: string; error?: string | null }) {
  return <TextField {...props} name="code" autoComplete="one-time-code" inputMode="text" spellCheck={false} maxLength={40} />
}
