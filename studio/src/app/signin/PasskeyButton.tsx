import { useState } from 'react'
import { Button, type ButtonLook } from '../../ui/Button'
import { havePasskeys, saidNo } from '../../ui/webauthn'

/** Does something that asks the browser for a passkey. Somebody who closes its window has said no, and that is no error. */
export function PasskeyButton({ look = 'primary', label, act, onError }: { look?: ButtonLook; label: string; act: () => Promise<unknown>; onError: (error: unknown) => void }) {
  const [busy, setBusy] = useState(false)
  if (!havePasskeys()) return null
  const run = async () => {
    setBusy(true)
    onError(null)
    try {
      await act()
    } catch (error) {
      onError(saidNo(error) ? null : error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button look={look} icon="key" busy={busy} onClick={() => void run()}>
      {label}
    </Button>
  )
}
