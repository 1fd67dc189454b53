import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Segments } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { toast } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { useSubmit } from '../../signin/useSubmit'
import type { Media } from './types'

const WHOM = ['off', 'people', 'all'] as const

/** Whether pictures carry the name of whoever looks. */
export function Names({ manages }: { manages: boolean }) {
  const { data, error, reload } = useApi<Media>('/settings/media')
  const options = WHOM.map((value) => ({ value, label: t(`console.names.${value}`) }))
  return (
    <section className="eh-card eh-stack" aria-labelledby="names">
      <h2 id="names">{t('console.names')}</h2>
      <p className="eh-muted">{t('console.names.text')}</p>
      <p className="eh-muted eh-small">{t('console.names.not')}</p>
      <ErrorNote error={error} retry={reload} />
      {data ? <Choice data={data} manages={manages} options={options} /> : null}
    </section>
  )
}

function Choice({ data, manages, options }: { data: Media; manages: boolean; options: { value: Media['watermark']; label: string }[] }) {
  const [wanted, setWanted] = useState(data.watermark)
  const { busy, error, run } = useSubmit(async () => {
    await api.put('/settings/media', { watermark: wanted })
    refresh('/settings/media')
    toast(t('console.settings.saved'), 'ok')
  })
  return (
    <>
      <fieldset className="eh-field" disabled={!manages}>
        <Segments label={t('console.names.whom')} options={options} value={wanted} onValue={setWanted} />
      </fieldset>
      <ErrorNote error={error} />
      {manages ? (
        <div>
          <Button look="primary" busy={busy} disabled={wanted === data.watermark} onClick={() => void run()}>
            {t('ui.save')}
          </Button>
        </div>
      ) : null}
    </>
  )
}
