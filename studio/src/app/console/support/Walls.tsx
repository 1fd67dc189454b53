import { useState } from 'react'
import { api } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Segments, TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { formatNumber, t } from '../../../ui/messages'
import { Table } from '../../../ui/Table'
import { toastError } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import type { List } from '../types'
import type { Wall } from './types'

/** Rivals whose work is kept apart from ours. */
export function Walls({ manages, live }: { manages: boolean; live: boolean }) {
  const { data, error, reload } = useApi<List<Wall>>('/walls')
  const [adding, setAdding] = useState(false)
  const end = async (wall: Wall) => {
    await api.del(`/walls/${wall.id}`)
    refresh('/walls')
  }
  return (
    <section className="eh-stack-2">
      <div className="eh-section-head">
        <h2>{t('console.walls')}</h2>
        {manages && live ? (
          <Button icon="plus" onClick={() => setAdding(true)}>
            {t('console.walls.add')}
          </Button>
        ) : null}
      </div>
      <p className="eh-muted">{t('console.walls.text')}</p>
      <ErrorNote error={error} retry={reload} />
      {data && !data.items.length ? <p className="eh-muted">{t(live ? 'console.walls.none' : 'console.walls.test')}</p> : null}
      {data?.items.length ? (
        <Table
          label={t('console.walls')}
          rows={data.items}
          rowKey={(wall) => wall.id}
          columns={[
            { key: 'name', title: t('console.walls.name'), cell: (wall) => <strong className="eh-break">{wall.name}</strong> },
            { key: 'kind', title: t('console.walls.kind'), tight: true, wideOnly: true, cell: (wall) => t(`console.walls.kind.${wall.kind}`) },
            { key: 'days', title: t('console.walls.days'), number: true, cell: (wall) => formatNumber(wall.cool_off_days) },
            {
              key: 'do',
              title: t('console.walls.end'),
              hideTitle: true,
              tight: true,
              cell: (wall) =>
                manages ? (
                  <Button small look="quiet" onClick={() => void end(wall).catch(toastError)} aria-label={t('console.walls.end-of', { name: wall.name })}>
                    {t('console.walls.end')}
                  </Button>
                ) : null,
            },
          ]}
        />
      ) : null}
      {adding ? <WallDialog onClose={() => setAdding(false)} /> : null}
    </section>
  )
}

function WallDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [kind, setKind] = useState<Wall['kind']>('customer')
  const [days, setDays] = useState('90')
  const put = async () => {
    await api.put('/walls', { name: name.trim(), kind, cool_off_days: Number(days) })
    refresh('/walls')
    onClose()
  }
  const kinds = (['customer', 'group'] as const).map((value) => ({ value, label: t(`console.walls.kind.${value}`) }))
  return (
    <FormDialog open onClose={onClose} title={t('console.walls.add')} verb={t('console.walls.add')} act={put} ready={name.trim() !== '' && /^\d{1,4}$/.test(days)}>
      <Segments label={t('console.walls.kind')} value={kind} options={kinds} onValue={setKind} />
      <TextField label={t('console.walls.name')} hint={t('console.walls.name.hint')} value={name} onText={setName} required maxLength={200} />
      <TextField label={t('console.walls.days')} hint={t('console.walls.days.hint')} type="number" min={0} max={3650} value={days} onText={setDays} required />
    </FormDialog>
  )
}
