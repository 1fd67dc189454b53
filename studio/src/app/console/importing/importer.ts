// Runs an import: images are uploaded as assets, lines are sent in blocks. Every block carries an import key made of the
// file's content, so that dropping the same file again resumes where it stopped and creates nothing twice.
import { api, isAbort, request, toApiError, upload, type ApiError } from '../../../ui/api'
import { refresh } from '../../../ui/useApi'
import type { Medium } from '../../../model/types'
import type { Asset } from '../types'
import { kindOf, parseCsv, parseJson, parseJsonl, type Parsed, type TaskLine } from './parse'

export type BadEntry = { file: string; line: number | null; detail: string }
export type ImportState = {
  phase: 'running' | 'done' | 'stopped' | 'failed'
  total: number
  finished: number
  created: number
  repeated: number
  failed: number
  bad: BadEntry[]
  now: string
  error: ApiError | null
}

type BulkReply = { created: number; repeated: number; failed: number; errors: { line: number; code: string; detail: string }[] }

const BLOCK = 500
const LANES = 3
const KEPT_ERRORS = 1000

export class Import {
  state: ImportState = { phase: 'running', total: 0, finished: 0, created: 0, repeated: 0, failed: 0, bad: [], now: '', error: null }
  private readonly listeners = new Set<() => void>()
  private readonly control = new AbortController()
  private shared = new Map<File, number>()

  readonly project: { id: string; medium: Medium }
  readonly files: readonly File[]
  readonly batch: string

  constructor(project: { id: string; medium: Medium }, files: readonly File[], batch: string) {
    this.project = project
    this.files = files
    this.batch = batch
    void this.run()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  snapshot = (): ImportState => this.state
  stop = (): void => this.control.abort()

  private set(part: Partial<ImportState>): void {
    this.state = { ...this.state, ...part }
    for (const listener of this.listeners) listener()
  }

  private bad(entry: BadEntry): void {
    if (this.state.bad.length < KEPT_ERRORS) this.set({ bad: [...this.state.bad, entry] })
  }

  private async run(): Promise<void> {
    try {
      const images = this.files.filter((file) => kindOf(file) === 'image')
      const texts = this.files.filter((file) => kindOf(file) === 'text')
      const tables = this.files.filter((file) => ['jsonl', 'json', 'csv'].includes(kindOf(file) ?? ''))
      for (const file of this.files)
        if (kindOf(file) === null) {
          this.bad({ file: file.name, line: null, detail: 'not a format that can be imported' })
          this.set({ failed: this.state.failed + 1 })
        }
      this.set({ total: images.length + texts.length })
      for (const file of tables) await this.table(file)
      const queue = [...images, ...texts]
      const lane = async () => {
        for (let file = queue.shift(); file; file = queue.shift()) await this.single(file)
      }
      await Promise.all(Array.from({ length: LANES }, lane))
      this.set({ phase: this.control.signal.aborted ? 'stopped' : 'done', now: '' })
    } catch (error) {
      if (isAbort(error) || this.control.signal.aborted) this.set({ phase: 'stopped', now: '' })
      else this.set({ phase: 'failed', error: toApiError(error), now: '' })
    }
    refresh(`/projects/${this.project.id}`, '/projects')
  }

  private async table(file: File): Promise<void> {
    this.set({ now: file.name })
    const text = await file.text()
    const kind = kindOf(file)
    const parsed: Parsed = kind === 'csv' ? parseCsv(text) : kind === 'json' ? parseJson(text) : parseJsonl(text)
    const key = await digest(text)
    for (const item of parsed.bad) this.bad({ file: file.name, ...item })
    this.set({ total: this.state.total + parsed.tasks.length + parsed.bad.length, finished: this.state.finished + parsed.bad.length, failed: this.state.failed + parsed.bad.length })
    for (let at = 0; at < parsed.tasks.length; at += BLOCK) {
      await this.block(file.name, parsed.tasks.slice(at, at + BLOCK), `${key}-${at / BLOCK}`)
    }
  }

  private async block(file: string, lines: readonly TaskLine[], key: string): Promise<void> {
    const reply = await request<BulkReply>('POST', `/projects/${this.project.id}/tasks/bulk`, {
      query: { import: this.batch ? `${key}-${this.batch}` : key, batch: this.batch || null },
      raw: { body: lines.map((item) => JSON.stringify(item.task)).join('\n') + '\n', type: 'application/x-ndjson' },
      signal: this.control.signal,
      key: `bulk-${key}-${this.batch}`.slice(0, 128),
    })
    for (const error of reply.errors) this.bad({ file, line: lines[error.line - 1]?.line ?? error.line, detail: error.detail })
    this.set({
      finished: this.state.finished + lines.length,
      created: this.state.created + reply.created,
      repeated: this.state.repeated + reply.repeated,
      failed: this.state.failed + reply.failed,
    })
  }

  private async single(file: File): Promise<void> {
    if (this.control.signal.aborted) return
    this.set({ now: file.name })
    try {
      const image = kindOf(file) === 'image'
      const bytes = await file.arrayBuffer()
      const key = (await digest(bytes)).slice(0, 40)
      let data: Record<string, unknown>
      if (image) {
        const form = new FormData()
        form.append('file', file, file.name)
        form.append('name', file.name)
        form.append('reference_id', `console/${key}`) // the same picture dropped again is the same asset
        const asset = await upload<Asset>('/assets', form, (share) => this.part(file, share), this.control.signal, `asset-${key}`)
        data = { asset: asset.id }
      } else data = { text: new TextDecoder().decode(bytes) }
      this.shared.delete(file)
      const name = (file.webkitRelativePath || file.name).slice(-200)
      await this.block(file.name, [{ line: 0, task: { data, name } }], `file-${key}-${(await digest(name)).slice(0, 12)}`)
    } catch (error) {
      if (isAbort(error)) throw error
      const problem = toApiError(error)
      if (problem.code === 'signin' || problem.code === 'denied') throw problem
      this.shared.delete(file)
      this.bad({ file: file.name, line: null, detail: [problem.title, problem.detail].filter(Boolean).join(': ') })
      this.set({ finished: this.state.finished + 1, failed: this.state.failed + 1 })
    }
  }

  /** Parts of files on their way count for the bar. */
  private part(file: File, share: number): void {
    this.shared.set(file, share)
    this.set({})
  }

  get progress(): number {
    let sum = this.state.finished
    for (const share of this.shared.values()) sum += share
    return sum
  }
}

async function digest(data: string | ArrayBuffer): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', typeof data === 'string' ? new TextEncoder().encode(data) : data)
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('').slice(0, 48)
}

// Imports go on while one looks at other pages.
const running = new Map<string, Import>()
export function importOf(project: string): Import | null {
  return running.get(project) ?? null
}
export function startImport(project: { id: string; medium: Medium }, files: readonly File[], batch: string): Import {
  const made = new Import(project, files, batch)
  running.set(project.id, made)
  return made
}
export function forgetImport(project: string): void {
  running.delete(project)
}

/** A batch made on the way, by name. */
export async function makeBatch(project: string, name: string, key: string): Promise<string> {
  return (await api.post<{ id: string }>(`/projects/${project}/batches`, { name }, { key })).id
}
