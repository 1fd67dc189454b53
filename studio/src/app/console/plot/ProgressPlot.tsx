import { useEffect, useId, useRef, useState, type ReactNode, type RefObject } from 'react'
import { Button, buttonClass } from '../../../ui/Button'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuItem } from '../../../ui/Menu'
import { formatDate, formatNumber, t } from '../../../ui/messages'
import { Table } from '../../../ui/Table'
import { toastError } from '../../../ui/Toast'
import { wanted } from '../numbers'
import type { ProgressReport } from '../types'
import { savePng, saveText } from './save'
import { isDaily, linear, timeScale, toCsv } from './scale'
import './Plot.css'

const EDGE = { top: 14, right: 14, bottom: 40, left: 56 }

/** Tasks done over time, with what is forecast: one plot, one message; a table behind it. */
export function ProgressPlot({ report, name, head, height = 240 }: { report: ProgressReport; name: string; head?: ReactNode; height?: number }) {
  const [table, setTable] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const save = () => {
    const svg = box.current?.querySelector('svg')
    if (svg) void savePng(`${name}-progress.png`, svg).catch(toastError)
  }
  const csv = () => saveText(`${name}-progress.csv`, toCsv([['time', 'done'], ...report.series.map((point) => [point.t, point.done])]), 'text/csv')
  return (
    <div className="eh-plot">
      <div className="eh-section-head">
        <h2>{t('console.plot.progress')}</h2>
        {head}
        <Button small look="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
          {table ? t('console.plot.hide-table') : t('console.plot.show-table')}
        </Button>
        <Menu
          button={
            <button type="button" className={buttonClass('quiet', true)} aria-label={t('console.plot.save')}>
              <Icon name="download" />
              {t('console.plot.save-short')}
            </button>
          }
        >
          <MenuItem onSelect={save}>PNG</MenuItem>
          <MenuItem onSelect={csv}>CSV</MenuItem>
        </Menu>
      </div>
      <div ref={box} className="eh-plot-box">{width > 0 ? <Drawing report={report} width={width} height={height} /> : null}</div>
      {table ? (
        <div className="eh-plot-table">
          <Table
            label={t('console.plot.progress')}
            rows={[...report.series].reverse()}
            rowKey={(point) => point.t}
            columns={[
              { key: 't', title: t('console.plot.time'), cell: (point) => formatDate(point.t) },
              { key: 'd', title: t('console.plot.done'), cell: (point) => formatNumber(point.done), number: true },
            ]}
          />
        </div>
      ) : null}
    </div>
  )
}

function Drawing({ report, width, height }: { report: ProgressReport; width: number; height: number }) {
  const title = useId()
  const goal = wanted(report.counts)
  const points = report.series.map((point) => ({ at: Date.parse(point.t), done: point.done }))
  const last = points.at(-1)
  const first = points[0]
  if (!first || !last || points.length < 2) return <p className="eh-muted">{t('console.plot.too-early')}</p>
  const end = report.done_at && goal > last.done ? Date.parse(report.done_at) : last.at
  // A forecast months away must not press the facts into a corner.
  const until = Math.min(Math.max(end, last.at), last.at + Math.max(3 * (last.at - first.at), 14 * 86_400_000))
  const share = end > last.at ? (until - last.at) / (end - last.at) : 0
  const x = timeScale(first.at, until, EDGE.left, width - EDGE.right, Math.max(2, Math.floor(width / 130)))
  const y = linear(0, Math.max(goal, last.done, 1) * 1.04, height - EDGE.bottom, EDGE.top, 4)
  const path = points.map((point, at) => `${at ? 'L' : 'M'}${x(point.at).toFixed(1)} ${y(point.done).toFixed(1)}`).join('')
  const floor = y(0)
  const message = t('console.plot.message', { done: last.done, total: goal, when: report.done_at ? formatDate(report.done_at) : t('console.when.unknown') })
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-labelledby={title}>
      <title id={title}>{message}</title>
      {y.ticks.filter(Number.isInteger).map((tick) => (
        <g key={tick}>
          <line className="eh-plot-grid" x1={EDGE.left} x2={width - EDGE.right} y1={y(tick)} y2={y(tick)} />
          <text x={EDGE.left - 8} y={y(tick) + 4} textAnchor="end">
            {formatNumber(tick, { notation: tick >= 10_000 ? 'compact' : 'standard' })}
          </text>
        </g>
      ))}
      <text x={EDGE.left} y={8} textAnchor="start">
        {t('console.plot.unit')}
      </text>
      {x.ticks.map((tick) => (
        <text key={tick} x={x(tick)} y={height - EDGE.bottom + 18} textAnchor="middle">
          {formatDate(tick, isDaily(x.step) ? 'day' : x.step < 21_600_000 && until - first.at < 86_400_000 ? 'time' : 'datetime')}
        </text>
      ))}
      <line className="eh-plot-goal" x1={EDGE.left} x2={width - EDGE.right} y1={y(goal)} y2={y(goal)} />
      <text x={EDGE.left + 8} y={y(goal) + 16} textAnchor="start">
        {t('console.plot.goal', { count: goal })}
      </text>
      <path className="eh-plot-area" d={`${path}L${x(last.at)} ${floor}L${x(first.at)} ${floor}Z`} />
      <path className="eh-plot-line" d={path} />
      {share > 0 ? <path className="eh-plot-forecast" d={`M${x(last.at)} ${y(last.done)}L${x(until)} ${y(last.done + (goal - last.done) * share)}`} /> : null}
      <circle className="eh-plot-now" cx={x(last.at)} cy={y(last.done)} r={4} />
      <text className="eh-plot-strong" {...besideNow(x(last.at), y(last.done), floor)}>
        {formatNumber(last.done)}
      </text>
    </svg>
  )
}

/** Above and left of the point, off the line that leads to it; near the left edge below and right of it, off the forecast. */
function besideNow(x: number, y: number, floor: number) {
  if (x - EDGE.left < 40 && y + 18 < floor) return { x: x + 10, y: y + 16, textAnchor: 'start' } as const
  return { x: Math.max(EDGE.left + 40, x - 10), y: Math.max(EDGE.top + 10, y - 10), textAnchor: 'end' } as const
}

/** Follows the width that the plot has. */
function useWidth(box: RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const element = box.current
    if (!element) return
    const watch = new ResizeObserver(([entry]) => entry && setWidth(Math.round(entry.contentRect.width)))
    watch.observe(element)
    return () => watch.disconnect()
  }, [box])
  return width
}

/** Share accepted of reviewed work, as a mark on its 95 % interval. */
export function QualityBar({ quality }: { quality: ProgressReport['quality'] }) {
  if (!quality.reviewed) return null
  const at = (share: number) => `${(share * 100).toFixed(2)}%`
  return (
    <svg className="eh-interval" aria-hidden="true">
      <line className="eh-interval-base" x1="0" x2="100%" y1="15" y2="15" />
      {[0, 0.25, 0.5, 0.75, 1].map((tick) => (
        <line key={tick} className="eh-interval-base" x1={at(tick)} x2={at(tick)} y1="12" y2="18" />
      ))}
      <rect className="eh-interval-band" x={at(quality.low)} width={at(Math.max(0.004, quality.high - quality.low))} y="7" height="16" rx="2" />
      <line className="eh-interval-mark" x1={at(quality.accepted / quality.reviewed)} x2={at(quality.accepted / quality.reviewed)} y1="3" y2="27" />
    </svg>
  )
}
