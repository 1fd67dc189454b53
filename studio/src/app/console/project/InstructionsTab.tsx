import { useState } from 'react'
import type { Ontology } from '../../../model/types'
import { Markdown } from '../../../surfaces/markdown/Markdown'
import { api } from '../../../ui/api'
import { Badge } from '../../../ui/Badge'
import { Button } from '../../../ui/Button'
import { ErrorNote } from '../../../ui/ErrorNote'
import { formatDate, t } from '../../../ui/messages'
import { useQuery } from '../../../ui/router'
import { Skeleton } from '../../../ui/Skeleton'
import { Table } from '../../../ui/Table'
import { Tabs } from '../../../ui/Tabs'
import { toast } from '../../../ui/Toast'
import { refresh, useApi } from '../../../ui/useApi'
import { mayWrite, useSignedIn } from '../../shell/session'
import { InstructionsEditor } from '../projects/InstructionsEditor'
import { flaws } from '../projects/ontology'
import { OntologyEditor } from '../projects/OntologyEditor'
import type { List, Project, Version } from '../types'
import { diffLines } from './diff'

/** Instructions and ontology, versioned together: annotators are told what changed. */
export function InstructionsTab({ project }: { project: Project }) {
  const versions = useApi<List<Version>>(`/projects/${project.id}/versions`, { query: { limit: 100 } })
  const [query, setQuery] = useQuery()
  const { org } = useSignedIn()
  const part = query.get('part') ?? 'text'
  return (
    <Tabs
      label={t('console.tab.instructions')}
      value={part}
      onValue={(id) => setQuery({ part: id === 'text' ? null : id }, { replace: true })}
      items={[
        { id: 'text', label: t('console.instructions') },
        { id: 'ontology', label: t('console.ontology') },
        { id: 'versions', label: t('console.versions') },
      ]}
    >
      {(id) =>
        id === 'text' ? (
          <TextPart key={project.version} project={project} writes={mayWrite(org)} />
        ) : id === 'ontology' ? (
          <OntologyPart key={project.version} project={project} writes={mayWrite(org)} />
        ) : versions.data ? (
          <Versions list={versions.data.items} project={project} />
        ) : versions.error ? (
          <ErrorNote error={versions.error} retry={versions.reload} />
        ) : (
          <Skeleton />
        )
      }
    </Tabs>
  )
}

function useSave(project: Project) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const save = async (body: { instructions?: string; ontology?: Ontology }) => {
    setBusy(true)
    setError(null)
    try {
      await api.patch(`/projects/${project.id}`, body)
      refresh('/projects')
      toast(t('console.instructions.saved'), 'ok')
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return { busy, error, save }
}

function TextPart({ project, writes }: { project: Project; writes: boolean }) {
  const [text, setText] = useState(project.instructions)
  const { busy, error, save } = useSave(project)
  if (!writes) return <Markdown source={project.instructions} />
  return (
    <div className="eh-stack eh-tab-part">
      <InstructionsEditor value={text} onText={setText} />
      <ErrorNote error={error} />
      <SaveRow busy={busy} changed={text !== project.instructions} onSave={() => void save({ instructions: text })} onUndo={() => setText(project.instructions)} />
    </div>
  )
}

function OntologyPart({ project, writes }: { project: Project; writes: boolean }) {
  const [ontology, setOntology] = useState(project.ontology)
  const { busy, error, save } = useSave(project)
  const changed = JSON.stringify(ontology) !== JSON.stringify(project.ontology)
  return (
    <fieldset className="eh-field eh-tab-part eh-stack" disabled={!writes}>
      <OntologyEditor ontology={ontology} medium={project.medium} onChange={setOntology} level={2} />
      <ErrorNote error={error} />
      {writes ? <SaveRow busy={busy} changed={changed && flaws(ontology, project.medium).length === 0} onSave={() => void save({ ontology })} onUndo={() => setOntology(project.ontology)} /> : null}
    </fieldset>
  )
}

function SaveRow({ busy, changed, onSave, onUndo }: { busy: boolean; changed: boolean; onSave: () => void; onUndo: () => void }) {
  return (
    <div className="eh-row">
      <Button look="primary" busy={busy} disabled={!changed} onClick={onSave}>
        {t('console.instructions.save')}
      </Button>
      <Button look="quiet" disabled={!changed} onClick={onUndo}>
        {t('console.instructions.undo')}
      </Button>
      <span className="eh-muted eh-small">{t('console.instructions.save.hint')}</span>
    </div>
  )
}

function Versions({ list, project }: { list: readonly Version[]; project: Project }) {
  const sorted = [...list].sort((a, b) => b.version - a.version)
  const [query, setQuery] = useQuery()
  const chosen = sorted.find((item) => String(item.version) === query.get('version')) ?? sorted[0]
  const before = chosen ? sorted.find((item) => item.version < chosen.version) : undefined
  if (!chosen) return <p className="eh-muted">{t('console.versions.none')}</p>
  const pick = (version: Version) => setQuery({ version: String(version.version) }, { replace: true })
  return (
    <div className="eh-columns eh-tab-part">
      <section className="eh-stack-2">
        <h2>{before ? t('console.versions.diff', { from: before.version, to: chosen.version }) : t('console.versions.first', { version: chosen.version })}</h2>
        <Diff label={t('console.versions.changes-text')} before={before?.instructions ?? ''} after={chosen.instructions} empty={t('console.versions.same-text')} />
        <h3>{t('console.ontology')}</h3>
        <Diff label={t('console.versions.changes-ontology')} before={before ? JSON.stringify(before.ontology, null, 2) : ''} after={JSON.stringify(chosen.ontology, null, 2)} empty={t('console.versions.same-ontology')} />
      </section>
      <Table
        label={t('console.versions')}
        rows={sorted}
        rowKey={(version) => String(version.version)}
        selected={String(chosen.version)}
        onOpen={pick}
        columns={[
          {
            key: 'v',
            title: t('console.version'),
            tight: true,
            cell: (version) => (
              <Button small look="quiet" aria-pressed={version === chosen} onClick={() => pick(version)}>
                {version.version}
              </Button>
            ),
          },
          { key: 's', title: t('console.versions.summary'), cell: (version) => version.summary },
          { key: 'at', title: t('console.when'), tight: true, cell: (version) => formatDate(version.at) },
          { key: 'now', title: t('console.state'), hideTitle: true, tight: true, cell: (version) => (version.version === project.version ? <Badge look="ok">{t('console.versions.now')}</Badge> : null) },
        ]}
      />
    </div>
  )
}

function Diff({ label, before, after, empty }: { label: string; before: string; after: string; empty: string }) {
  if (before === after) return <p className="eh-muted">{empty}</p>
  const lines = diffLines(before, after)
  const near = (at: number) => lines.slice(Math.max(0, at - 3), at + 4).some((line) => line.kind !== 'same')
  return (
    <div className="eh-diff" tabIndex={0} role="region" aria-label={label}>
      {lines.map((line, at) => {
        if (!near(at)) return near(at - 1) ? <span key={at}>⋯</span> : null
        const text = line.text || ' '
        if (line.kind === 'gone') return <del key={at}>− {text}</del>
        if (line.kind === 'new') return <ins key={at}>+ {text}</ins>
        return <span key={at}>  {text}</span>
      })}
    </div>
  )
}
