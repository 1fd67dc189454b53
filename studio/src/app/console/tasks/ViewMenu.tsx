import { useState } from 'react'
import { api } from '../../../ui/api'
import { buttonClass } from '../../../ui/Button'
import { TextField } from '../../../ui/Field'
import { FormDialog } from '../../../ui/FormDialog'
import { Icon } from '../../../ui/Icon'
import { Menu, MenuItem, MenuLine } from '../../../ui/Menu'
import { t } from '../../../ui/messages'
import { navigate } from '../../../ui/router'
import { toastError } from '../../../ui/Toast'
import { put, useApi } from '../../../ui/useApi'
import { to } from '../paths'
import type { List, Project, SavedView } from '../types'
import { isFiltered, type Filter } from './filters'

/** Views: filters with a name. The server keeps one's own; the filter itself is in the address. */
export function ViewMenu({ project, filter }: { project: Project; filter: Filter }) {
  const path = `/projects/${project.id}/views`
  const { data } = useApi<List<SavedView>>(path)
  const [naming, setNaming] = useState(false)
  const [name, setName] = useState('')
  const change = async (view: string, kept: string | null) => put(path, await api.patch<List<SavedView>>(path, { name: view, query: kept }))
  const save = async () => {
    await change(name.trim(), query)
    setNaming(false)
    setName('')
  }
  const views = data?.items ?? []
  const query = new URLSearchParams(filter as Record<string, string>).toString()
  const current = views.find((view) => view.query === query)
  return (
    <>
      <Menu
        label={t('console.views')}
        button={
          <button type="button" className={buttonClass('quiet')}>
            <span className="eh-ellipsis">{current ? current.name : t('console.views')}</span>
            <Icon name="chevron" />
          </button>
        }
      >
        <MenuItem onSelect={() => navigate(to.project(project.id, 'tasks'))}>{t('console.views.all')}</MenuItem>
        <MenuItem onSelect={() => navigate(to.tasks(project.id, { state: 'review' }))}>{t('console.views.review')}</MenuItem>
        <MenuItem onSelect={() => navigate(to.tasks(project.id, { state: 'error' }))}>{t('console.views.errors')}</MenuItem>
        {views.length ? <MenuLine /> : null}
        {views.map((view) => (
          <MenuItem key={view.name} onSelect={() => navigate(`${to.project(project.id, 'tasks')}?${view.query}`)}>
            {view.name}
          </MenuItem>
        ))}
        <MenuLine />
        {current ? (
          <MenuItem danger icon="trash" onSelect={() => void change(current.name, null).catch(toastError)}>
            {t('console.views.remove', { name: current.name })}
          </MenuItem>
        ) : (
          <MenuItem icon="plus" disabled={!isFiltered(filter)} hint={isFiltered(filter) ? undefined : t('console.views.save.hint')} onSelect={() => setNaming(true)}>
            {t('console.views.save')}
          </MenuItem>
        )}
      </Menu>
      <FormDialog open={naming} onClose={() => setNaming(false)} title={t('console.views.save')} verb={t('ui.save')} act={save} ready={name.trim() !== ''}>
        <TextField label={t('console.views.name')} value={name} onText={setName} maxLength={60} autoFocus />
      </FormDialog>
    </>
  )
}
