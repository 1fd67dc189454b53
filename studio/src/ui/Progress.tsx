import './Progress.css'

export type ProgressPart = { value: number; look: 'accent' | 'ok' | 'warn' | 'danger' | 'plain'; label?: string }

/** A bar of parts of a whole; `label` is read out, together with the share of the first part. */
export function Progress({ parts, total, label }: { parts: readonly ProgressPart[]; total: number; label: string }) {
  const first = parts[0]?.value ?? 0
  return (
    <div className="eh-progress" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={Math.max(total, 1)} aria-valuenow={Math.min(first, Math.max(total, 1))}>
      {parts.map((part, at) =>
        part.value > 0 ? (
          <div key={at} className={`eh-progress-part eh-progress-${part.look}`} title={part.label} style={{ width: `${(100 * part.value) / Math.max(total, 1)}%` }} />
        ) : null,
      )}
    </div>
  )
}
