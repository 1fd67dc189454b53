import { useId, useState } from 'react'
import type { Medium, Ontology } from '../../../model/types'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Checkbox, Segments, TextField } from '../../../ui/Field'
import { Icon } from '../../../ui/Icon'
import { t } from '../../../ui/messages'
import { Link, navigate } from '../../../ui/router'
import { refresh } from '../../../ui/useApi'
import { useTitle } from '../../shell/useTitle'
import { to } from '../paths'
import type { Project, ReviewPolicy } from '../types'
import { InstructionsEditor } from './InstructionsEditor'
import { flaws } from './ontology'
import { OntologyEditor } from './OntologyEditor'
import { PolicyFields } from './PolicyFields'
import { templates, type Template } from './templates'
import './NewProject.css'

type Draft = { name: string; medium: Medium; ontology: Ontology; instructions: string; overlap: number; review: ReviewPolicy; review_rate: number; lease_s: number; pilot: boolean }

function draftOf(template: Template): Draft {
  return { name: '', medium: template.medium, ontology: template.ontology, instructions: template.instructions, overlap: 1, review: 'sample', review_rate: 0.1, lease_s: 1800, pilot: true }
}

export function NewProjectPage() {
  const first = templates[0] as Template
  const [template, setTemplate] = useState<Template>(first)
  const [draft, setDraft] = useState<Draft>(() => draftOf(first))
  const [touched, setTouched] = useState(false)
  const [tried, setTried] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [key] = useState(newKey)
  const group = useId()
  useTitle(t('console.project.new'))
  const change = (part: Partial<Draft>) => {
    setDraft({ ...draft, ...part })
    setTouched(true)
  }
  const choose = (next: Template) => {
    if (touched && (draft.ontology !== template.ontology || draft.instructions !== template.instructions) && !confirm(t('console.new.replace'))) return
    setTemplate(next)
    setDraft({ ...draftOf(next), name: draft.name })
  }
  const create = async () => {
    setTried(true)
    if (!draft.name.trim() || flaws(draft.ontology, draft.medium).length) {
      document.querySelector<HTMLElement>('[aria-invalid=true], .eh-onto [role=status]')?.scrollIntoView({ block: 'center' })
      return
    }
    setBusy(true)
    setError(null)
    try {
      const made = await api.post<Project>('/projects', { ...draft, name: draft.name.trim() }, { key })
      refresh('/projects')
      navigate(`${to.project(made.id, 'tasks')}?import=1`)
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  return (
    <form
      className="eh-page"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void create()
      }}
    >
      <h1>{t('console.project.new')}</h1>
      <fieldset className="eh-field">
        <legend className="eh-field-label">{t('console.new.template')}</legend>
        <div className="eh-templates">
          {templates.map((item) => (
            <label key={item.id} className="eh-template">
              <input type="radio" name={group} checked={item.id === template.id} onChange={() => choose(item)} />
              <Icon name={item.icon} size={20} />
              <span>
                <strong>{t(`console.template.${item.id}`)}</strong>
                <span className="eh-muted eh-small">{t(`console.template.${item.id}.text`)}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <div className="eh-two">
        <TextField label={t('console.new.name')} value={draft.name} onText={(name) => change({ name })} required maxLength={200} error={tried && !draft.name.trim() ? t('console.new.no-name') : null} />
        {template.media.length > 1 ? (
          <Segments
            label={t('console.medium')}
            value={draft.medium}
            options={template.media.map((medium) => ({ value: medium, label: t(`console.medium.${medium}`) }))}
            onValue={(medium) => change({ medium })}
          />
        ) : null}
      </div>
      <section className="eh-stack">
        <h2>{t('console.new.what')}</h2>
        <OntologyEditor ontology={draft.ontology} medium={draft.medium} onChange={(ontology) => change({ ontology })} />
      </section>
      <section className="eh-stack">
        <h2>{t('console.new.how')}</h2>
        <InstructionsEditor value={draft.instructions} onText={(instructions) => change({ instructions })} />
      </section>
      <section className="eh-stack">
        <h2>{t('console.new.who')}</h2>
        <PolicyFields value={draft} onChange={change} />
        <Checkbox label={t('console.new.pilot')} hint={t('console.new.pilot.hint')} checked={draft.pilot} onChecked={(pilot) => change({ pilot })} />
      </section>
      <div className="eh-foot-bar">
        <ErrorNote error={error} />
        <Link className="eh-button" to={to.projects()}>
          {t('ui.cancel')}
        </Link>
        <Button type="submit" look="primary" busy={busy}>
          {t('console.new.create')}
        </Button>
      </div>
    </form>
  )
}
