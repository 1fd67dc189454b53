import { useEffect } from 'react'

/** Names the page in the browser's tab: the kind of page, never what is on it. Browsers write titles to the disk, in their history. */
export function useTitle(...parts: (string | undefined)[]): void {
  const title = [...parts.filter(Boolean), 'Evenhand'].join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}
