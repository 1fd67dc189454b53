import { useId } from 'react'
import { formatNumber, t } from '../../ui/messages'
import type { Publication, Share } from './types'

const SIDE = { left: 52, right: 12, top: 20, bottom: 44, width: 360, height: 300 }
const percent = (share: number) => formatNumber(share, { style: 'percent', maximumFractionDigits: 1 })

/** A mark for each customer, at the height of what it was served; affiliates stand left of what they were entitled to, the others right. */
export function ShareChart({ shown }: { shown: Publication }) {
  const title = useId()
  const marks = new Map(shown.lines.map((line) => [line.tag, line.affiliate]))
  const shares = shown.figures.shares
  const most = Math.max(...shares.flatMap((share) => [share.served, share.entitled])) * 1.15
  const x = (share: number) => SIDE.left + (share / most) * (SIDE.width - SIDE.left - SIDE.right)
  const y = (share: number) => SIDE.height - SIDE.bottom - (share / most) * (SIDE.height - SIDE.top - SIDE.bottom)
  return (
    <svg className="eh-shares" viewBox={`0 0 ${SIDE.width} ${SIDE.height}`} role="img" aria-labelledby={title}>
      <title id={title}>{t('neutrality.shares.message', { count: shares.length })}</title>
      {[0, 0.25, 0.5, 0.75, 1].map((part) => (
        <g key={part}>
          <line className="eh-shares-grid" x1={SIDE.left} x2={SIDE.width - SIDE.right} y1={y(part * most)} y2={y(part * most)} />
          <text x={SIDE.left - 6} y={y(part * most) + 4} textAnchor="end">
            {percent(part * most)}
          </text>
          {part % 0.5 ? null : (
            <text x={x(part * most)} y={SIDE.height - SIDE.bottom + 16} textAnchor={part === 1 ? 'end' : 'middle'}>
              {percent(part * most)}
            </text>
          )}
        </g>
      ))}
      <text x={0} y={10}>
        {t('neutrality.served')}
      </text>
      <text x={SIDE.width - SIDE.right} y={SIDE.height - 8} textAnchor="end">
        {t('neutrality.entitled')}
      </text>
      <line className="eh-shares-even" x1={x(0)} y1={y(0)} x2={x(most)} y2={y(most)} />
      {beside(shares, (share) => marks.get(share.tag) === true).map(({ share, affiliate, step }) =>
        affiliate ? (
          <rect key={share.tag} className="eh-shares-affiliate" x={x(share.entitled) - 11 - step * 8} y={y(share.served) - 3} width={6} height={6} />
        ) : (
          <circle key={share.tag} className="eh-shares-other" cx={x(share.entitled) + 8 + step * 8} cy={y(share.served)} r={3.5} />
        ),
      )}
    </svg>
  )
}

/** Customers with the same due stand beside one another: the n-th of each four is n steps away from the place. */
function beside(shares: readonly Share[], isAffiliate: (share: Share) => boolean) {
  const before = new Map<string, number>()
  return [...shares]
    .sort((a, b) => a.served - b.served)
    .map((share) => {
      const affiliate = isAffiliate(share)
      const place = `${affiliate} ${share.entitled.toFixed(3)}`
      const n = before.get(place) ?? 0
      before.set(place, n + 1)
      return { share, affiliate, step: n % 4 }
    })
}
