import { Segments, TextField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import type { ReviewPolicy } from '../types'

export type Policy = { overlap: number; review: ReviewPolicy; review_rate: number; lease_s: number }

/** How many people see a task, what is reviewed, how long a task is held. */
export function PolicyFields({ value, onChange }: { value: Policy; onChange: (part: Partial<Policy>) => void }) {
  return (
    <div className="eh-two">
      <TextField
        label={t('console.policy.overlap')}
        hint={t('console.policy.overlap.hint')}
        type="number"
        min={1}
        max={50}
        value={String(value.overlap)}
        onText={(text) => onChange({ overlap: Math.max(1, Math.min(50, Math.round(Number(text)) || 1)) })}
      />
      <TextField
        label={t('console.policy.lease')}
        hint={t('console.policy.lease.hint')}
        type="number"
        min={1}
        max={1440}
        value={String(Math.round(value.lease_s / 60))}
        onText={(text) => onChange({ lease_s: 60 * Math.max(1, Math.min(1440, Math.round(Number(text)) || 1)) })}
      />
      <Segments
        label={t('console.policy.review')}
        value={value.review}
        options={(['none', 'sample', 'all'] as const).map((policy) => ({ value: policy, label: t(`console.policy.review.${policy}`) }))}
        onValue={(review) => onChange({ review })}
      />
      {value.review === 'sample' ? (
        <TextField
          label={t('console.policy.rate')}
          hint={t('console.policy.rate.hint')}
          type="number"
          min={1}
          max={100}
          value={String(Math.round(value.review_rate * 100))}
          onText={(text) => onChange({ review_rate: Math.max(1, Math.min(100, Math.round(Number(text)) || 1)) / 100 })}
        />
      ) : null}
    </div>
  )
}
