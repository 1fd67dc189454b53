import { useRef, useState } from 'react'

/** Does something that takes a while, once at a time, and keeps what went wrong. */
export function useSubmit(act: () => Promise<unknown>): { busy: boolean; error: unknown; run: () => Promise<void>; setError: (error: unknown) => void } {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const running = useRef(false)
  const run = async () => {
    if (running.current) return
    running.current = true
    setBusy(true)
    setError(null)
    try {
      await act()
    } catch (caught) {
      setError(caught)
    } finally {
      running.current = false
      setBusy(false)
    }
  }
  return { busy, error, run, setError }
}
