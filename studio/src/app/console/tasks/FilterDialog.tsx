import { Button } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { SelectField, TextField } from '../../../ui/Field'
import { t } from '../../../ui/messages'
import { useQuery } from '../../../ui/router'
import type { Batch, Project, Seat } from '../types'
import { filterNames, type Filter, type FilterName } from './filters'

/** The filters that do not fit into the bar. Each takes effect at once, in the list behind. */
export function FilterDialog({ open, onClose, project, filter, batches, seats }: {
  open: boolean
  onClose: () => void
  project: Project
  filter: Filter
  batches: readonly Batch[]
  seats: readonly Seat[]
}) {
  const [, setQuery] = useQuery()
  const any = { value: '', label: t('console.filter.any') }
  const set = (name: FilterName) => (value: string) => setQuery({ [name]: value || null }, { replace: true })
  const people = new Map(seats.map((seat) => [seat.person, seat.name]))
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t('console.filter')}
      onSubmit={onClose}
      foot={
        <>
          <Button onClick={() => setQuery(Object.fromEntries(filterNames.map((key) => [key, null])))}>{t('console.filter.clear')}</Button>
          <Button type="submit" look="primary">
            {t('console.filter.show')}
          </Button>
        </>
      }
    >
      <div className="eh-two">
        <SelectField label={t('console.filter.batch')} value={filter.batch ?? ''} options={[any, ...batches.map((batch) => ({ value: batch.id, label: batch.name }))]} onValue={set('batch')} />
        <SelectField label={t('console.filter.person')} value={filter.person ?? ''} options={[any, ...[...people].map(([value, label]) => ({ value, label }))]} onValue={set('person')} />
        <SelectField label={t('console.filter.class')} value={filter.class ?? ''} options={[any, ...project.ontology.classes.map((item) => ({ value: item.name, label: item.title ?? item.name }))]} onValue={set('class')} />
        <TextField label={t('console.filter.tag')} value={filter.tag ?? ''} onText={set('tag')} />
        <TextField label={t('console.filter.from')} type="date" value={filter.from ?? ''} onText={set('from')} />
        <TextField label={t('console.filter.to')} type="date" value={filter.to ?? ''} onText={set('to')} />
      </div>
    </Dialog>
  )
}
