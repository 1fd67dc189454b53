import type { Labeler } from '../types'

/** A mean as a mark on its 95 % interval; the numbers stand beside it. */
export function Interval({ one }: { one: Labeler }) {
  if (one.mean === null || one.low === null || one.high === null) return null
  const at = (share: number) => `${(share * 100).toFixed(2)}%`
  return (
    <svg className="eh-score" aria-hidden="true">
      <line className="eh-interval-base" x1="0" x2="100%" y1="8" y2="8" />
      <rect className="eh-interval-band" x={at(one.low)} width={at(Math.max(0.004, one.high - one.low))} y="3" height="10" rx="2" />
      <line className="eh-interval-mark" x1={at(one.mean)} x2={at(one.mean)} y1="0" y2="16" />
    </svg>
  )
}
