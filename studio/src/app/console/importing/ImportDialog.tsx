import { useEffect, useId, useRef, useState, useSyncExternalStore, type DragEvent } from 'react'
import { api, newKey } from '../../../ui/api'
import { Button } from '../../../ui/Button'
import { Dialog } from '../../../ui/Dialog'
import { ErrorNote } from '../../../ui/ErrorNote'
import { AreaField, SelectField, TextField } from '../../../ui/Field'
import { Icon } from '../../../ui/Icon'
import { formatDate, t } from '../../../ui/messages'
import { Progress } from '../../../ui/Progress'
import { navigate } from '../../../ui/router'
import { Table } from '../../../ui/Table'
import { refresh, useApi } from '../../../ui/useApi'
import { to } from '../paths'
import { saveText } from '../plot/save'
import { toCsv } from '../plot/scale'
import type { Batch, List, Project } from '../types'
import { forgetImport, importOf, makeBatch, startImport, type Import } from './importer'
import { exampleFor } from './parse'
import './Import.css'

const NEW = 'new'

/** Drop pictures, texts, JSONL or CSV: they become tasks. */
export function ImportDialog({ project, open, onClose }: { project: Project; open: boolean; onClose: () => void }) {
  const [run, setRun] = useState<Import | null>(() => importOf(project.id))
  const finish = () => {
    if (run && run.state.phase !== 'running') {
      forgetImport(project.id)
      setRun(null)
    }
    onClose()
  }
  return (
    <Dialog open={open} onClose={finish} title={t('console.import.title', { name: project.name })} wide>
      {run ? (
        <Running
          run={run}
          project={project}
          onAgain={() => {
            forgetImport(project.id)
            setRun(null)
          }}
          onClose={finish}
        />
      ) : (
        <Choose project={project} onRun={setRun} />
      )}
    </Dialog>
  )
}

function Choose({ project, onRun }: { project: Project; onRun: (run: Import) => void }) {
  const batches = useApi<List<Batch>>(`/projects/${project.id}/batches`, { query: { limit: 200 } })
  const [batch, setBatch] = useState('')
  const [batchName, setBatchName] = useState('')
  const [text, setText] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [key] = useState(newKey)
  const [fallback] = useState(() => t('console.import.batch-default', { when: formatDate(Date.now()) }))
  const start = async (files: readonly File[]) => {
    if (!files.length) return
    setBusy(true)
    setError(null)
    try {
      const target = batch === NEW ? await makeBatch(project.id, batchName.trim() || fallback, key) : batch
      onRun(startImport(project, files, target))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const single = async () => {
    setBusy(true)
    setError(null)
    try {
      await api.post(`/projects/${project.id}/tasks`, { data: { text }, ...(batch && batch !== NEW ? { batch } : {}) })
      setText('')
      refresh(`/projects/${project.id}`)
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const open = (batches.data?.items ?? []).filter((item) => item.state === 'staging' || item.state === 'in_progress' || item.state === 'paused')
  return (
    <>
      <Drop busy={busy} image={project.medium === 'image'} onFiles={(files) => void start(files)} />
      <div className="eh-two">
        <SelectField
          label={t('console.batch')}
          value={batch}
          options={[{ value: '', label: t('console.import.no-batch') }, { value: NEW, label: t('console.batch.new') }, ...open.map((item) => ({ value: item.id, label: item.name }))]}
          onValue={setBatch}
        />
        {batch === NEW ? <TextField label={t('console.batch.name')} value={batchName} onText={setBatchName} placeholder={fallback} /> : null}
      </div>
      {project.medium === 'text' ? (
        <div className="eh-stack-2">
          <AreaField label={t('console.import.paste')} rows={3} value={text} onText={setText} />
          <div>
            <Button disabled={!text.trim()} busy={busy} onClick={() => void single()}>
              {t('console.import.add-one')}
            </Button>
          </div>
        </div>
      ) : null}
      <div className="eh-stack-2">
        <span className="eh-muted eh-small">{t('console.import.example')}</span>
        <pre className="eh-import-example" tabIndex={0} aria-label={t('console.import.example')}>
          <code>{exampleFor(project.medium)}</code>
        </pre>
      </div>
      <ErrorNote error={error} />
    </>
  )
}

function Drop({ busy, image, onFiles }: { busy: boolean; image: boolean; onFiles: (files: File[]) => void }) {
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const hint = useId()
  useEffect(() => folder.current?.setAttribute('webkitdirectory', ''), [])
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    void filesOf(event.dataTransfer).then(onFiles)
  }
  const pick = (files: FileList | null) => onFiles([...(files ?? [])].filter((file) => !file.name.startsWith('.')))
  return (
    <div
      className={over ? 'eh-drop eh-drop-over' : 'eh-drop'}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Icon name="upload" size={24} />
      <strong>{t(image ? 'console.import.drop-images' : 'console.import.drop')}</strong>
      <span className="eh-muted" id={hint}>
        {t('console.import.drop.hint')}
      </span>
      <div className="eh-row">
        <Button busy={busy} onClick={() => input.current?.click()} aria-describedby={hint}>
          {t('console.import.files')}
        </Button>
        <Button busy={busy} onClick={() => folder.current?.click()}>
          {t('console.import.folder')}
        </Button>
      </div>
      <input ref={input} type="file" multiple hidden aria-label={t('console.import.files')} accept=".jsonl,.ndjson,.json,.csv,.tsv,.txt,.md,image/*" onChange={(event) => pick(event.target.files)} />
      <input ref={folder} type="file" multiple hidden aria-label={t('console.import.folder')} onChange={(event) => pick(event.target.files)} />
    </div>
  )
}

/** Folders that are dropped are read to their end. */
async function filesOf(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null)
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files]
  const found: File[] = []
  const walk = async (entry: FileSystemEntry): Promise<void> => {
    if (entry.isFile) {
      found.push(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)))
      return
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader()
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
      if (!some.length) return
      for (const child of some) await walk(child)
    }
  }
  for (const entry of entries) if (entry) await walk(entry)
  return found.filter((file) => !file.name.startsWith('.'))
}

function Running({ run, project, onAgain, onClose }: { run: Import; project: Project; onAgain: () => void; onClose: () => void }) {
  const state = useSyncExternalStore(run.subscribe, run.snapshot)
  const going = state.phase === 'running'
  return (
    <>
      <div className="eh-stack-2" role="status">
        <strong>{going ? t('console.import.running', { done: state.finished, total: state.total }) : t(`console.import.${state.phase as 'done' | 'stopped' | 'failed'}`)}</strong>
        <Progress
          label={t('console.import')}
          total={Math.max(1, state.total)}
          parts={[
            { value: Math.max(0, run.progress - state.failed), look: 'accent' },
            { value: state.failed, look: 'danger' },
          ]}
        />
        <div>
          {t('console.import.created', { count: state.created })}
          {state.repeated ? ` · ${t('console.import.repeated', { count: state.repeated })}` : ''}
          {state.failed ? ` · ${t('console.import.bad', { count: state.failed })}` : ''}
        </div>
        {state.now ? <div className="eh-muted eh-small eh-ellipsis">{state.now}</div> : null}
      </div>
      <ErrorNote error={state.error} />
      {state.phase === 'failed' || state.phase === 'stopped' ? <p>{t('console.import.resume')}</p> : null}
      {state.bad.length ? (
        <section className="eh-stack-2">
          <div className="eh-section-head">
            <h3>{t('console.import.bad-lines')}</h3>
            <Button small icon="download" onClick={() => saveText('import-errors.csv', toCsv([['file', 'line', 'problem'], ...state.bad.map((item) => [item.file, item.line, item.detail])]), 'text/csv')}>
              CSV
            </Button>
          </div>
          <div className="eh-bad">
            <Table
              label={t('console.import.bad-lines')}
              rows={state.bad.slice(0, 200).map((item, at) => ({ ...item, at }))}
              rowKey={(item) => String(item.at)}
              columns={[
                { key: 'f', title: t('console.import.file'), tight: true, cell: (item) => item.file },
                { key: 'l', title: t('console.import.line'), number: true, tight: true, cell: (item) => item.line || '' },
                { key: 'd', title: t('console.import.problem'), cell: (item) => item.detail },
              ]}
            />
          </div>
        </section>
      ) : null}
      <div className="eh-row">
        {going ? (
          <>
            <Button onClick={run.stop}>{t('console.import.stop')}</Button>
            <span className="eh-muted eh-small">{t('console.import.background')}</span>
          </>
        ) : (
          <>
            <Button
              look="primary"
              onClick={() => {
                onClose()
                navigate(to.project(project.id, project.stage === 'pilot' ? 'pilot' : 'tasks'))
              }}
            >
              {t(project.stage === 'pilot' ? 'console.import.to-pilot' : 'console.import.to-tasks')}
            </Button>
            <Button onClick={onAgain}>{t('console.import.again')}</Button>
          </>
        )}
      </div>
    </>
  )
}
