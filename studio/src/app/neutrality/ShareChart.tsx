import { useId } from 'react'
import { formatNumber, t } from '../../ui/messages'
import type { Publication, Share } from './types'

const SIDE = { left: 52, right: 16, top: 20, bottom: 44, width: 460, height: 260 }
const STEP_PX = 9
const LEAST = 0.1 // what the axis shows at least on either side of even, so that chance does not look like favour
const percent = (share: number) => formatNumber(share, { style: 'percent', maximumFractionDigits: 1 })

/** A mark for each customer: how much of its entitled share it was served, over that share. Even is one line for all. */
export function ShareChart({ shown }: { shown: Publication }) {
  const title = useId()
  const affiliates = new Map(shown.lines.map((line) => [line.tag, line.affiliate]))
  const shares = shown.figures.shares.filter((share) => share.entitled > 0)
  const most = Math.max(...shares.map((share) => share.entitled), 0) * 1.15 || 1
  const off = Math.max(LEAST, ...shares.map((share) => Math.abs(share.served / share.entitled - 1) * 1.1))
  const x = (share: number) => SIDE.left + (share / most) * (SIDE.width - SIDE.left - SIDE.right)
  const y = (part: number) => SIDE.top + ((1 + off - part) / (2 * off)) * (SIDE.height - SIDE.top - SIDE.bottom)
  return (
    <svg className="eh-shares" viewBox={`0 0 ${SIDE.width} ${SIDE.height}`} role="img" aria-labelledby={title}>
      <title id={title}>{t('neutrality.shares.message', { count: shares.length })}</title>
      {[-1, -0.5, 0, 0.5, 1].map((step) => (
        <g key={step}>
          <line className={step ? 'eh-shares-grid' : 'eh-shares-even'} x1={SIDE.left} x2={SIDE.width - SIDE.right} y1={y(1 + step * off)} y2={y(1 + step * off)} />
          <text x={SIDE.left - 6} y={y(1 + step * off) + 4} textAnchor="end">
            {percent(1 + step * off)}
          </text>
        </g>
      ))}
      {[0, 0.5, 1].map((part) => (
        <text key={part} x={x(part * most)} y={SIDE.height - SIDE.bottom + 16} textAnchor={part === 1 ? 'end' : 'middle'}>
          {percent(part * most)}
        </text>
      ))}
      <text x={0} y={10}>
        {t('neutrality.served')}
      </text>
      <text x={SIDE.width - SIDE.right} y={SIDE.height - 8} textAnchor="end">
        {t('neutrality.entitled')}
      </text>
      {beside(shares).map(({ share, step }) => {
        const [at, height] = [x(share.entitled) + step * STEP_PX, y(share.served / share.entitled)]
        return affiliates.get(share.tag) ? (
          <rect key={share.tag} className="eh-shares-affiliate" x={at - 3} y={height - 3} width={6} height={6} />
        ) : (
          <circle key={share.tag} className="eh-shares-other" cx={at} cy={height} r={3.5} />
        )
      })}
    </svg>
  )
}

/** Customers with the same due stand beside one another, around their place, five in a row. */
function beside(shares: readonly Share[]) {
  const before = new Map<string, number>()
  return [...shares]
    .sort((a, b) => a.tag.localeCompare(b.tag))
    .map((share) => {
      const place = share.entitled.toFixed(3)
      const n = before.get(place) ?? 0
      before.set(place, n + 1)
      return { share, step: (n % 5) - 2 }
    })
}
