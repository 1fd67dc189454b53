import type { ReactNode } from 'react'
import { CopyText } from './CopyText'

/** A single-use link that was just made: what it is for, and the link to copy. */
export function CopyLink({ link, label, children }: { link: string; label: string; children: ReactNode }) {
  return (
    <>
      <p>{children}</p>
      <CopyText text={new URL(link, location.origin).href} label={label} />
    </>
  )
}
