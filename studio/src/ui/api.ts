// The one way to the server: /api/v1. Adds CSRF and organisation, turns problem+json into ApiError, retries safe reads.
import { t } from './messages'
import { BACKGROUND, isAway } from './presence'

export type ErrorCode = 'invalid' | 'denied' | 'missing' | 'conflict' | 'busy' | 'upstream' | 'signin' | 'prove' | 'offline' | 'unexpected'

export type Problem = {
  type?: string
  title?: string
  status?: number
  detail?: string
  hint?: string
  code?: string
  errors?: { path: string; detail: string }[]
}

const codes: readonly string[] = ['invalid', 'denied', 'missing', 'conflict', 'busy', 'upstream', 'signin', 'prove']

export class ApiError extends Error {
  readonly status: number
  readonly code: ErrorCode
  readonly title: string
  readonly detail: string
  readonly hint: string
  readonly errors: readonly { path: string; detail: string }[]
  constructor(status: number, code: ErrorCode, title: string, detail: string, hint: string, errors: readonly { path: string; detail: string }[] = []) {
    super(detail || title)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.title = title
    this.detail = detail
    this.hint = hint
    this.errors = errors
  }
  /** Trying the same request again may help. */
  get transient(): boolean {
    return this.code === 'offline' || this.code === 'busy' || this.code === 'upstream' || this.status >= 500
  }
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>
export type RequestOptions = {
  query?: Query | undefined
  body?: unknown
  /** Sent as it is instead of JSON. */
  raw?: { body: BodyInit; type?: string } | undefined
  signal?: AbortSignal | undefined
  /** A write keeps its key over retries; made here when absent. */
  key?: string | undefined
  /** Organisation other than the current one; null sends none. */
  org?: string | null | undefined
  keepalive?: boolean | undefined
}

export const API = '/api/v1'

type Context = { csrf: string; org: string | null }
const context: Context = { csrf: '', org: null }
const signedOut = new Set<() => void>()

export function setCsrf(csrf: string): void {
  context.csrf = csrf
}
export function getCsrf(): string {
  return context.csrf
}
export function setOrg(org: string | null): void {
  context.org = org
}
export function getOrg(): string | null {
  return context.org
}
/** Called when the server says that nobody is signed in. */
export function onSignedOut(listener: () => void): () => void {
  signedOut.add(listener)
  return () => signedOut.delete(listener)
}

let prover: (() => Promise<boolean>) | null = null
/** Asks for a fresh proof that it is still the same person, and says whether there was one. Then the request is sent again. */
export function setProver(ask: (() => Promise<boolean>) | null): void {
  prover = ask
}

export function newKey(): string {
  return crypto.randomUUID()
}

export function apiUrl(path: string, query?: Query): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value))
  }
  const text = params.toString()
  return API + path + (text ? (path.includes('?') ? '&' : '?') + text : '')
}

function headersFor(method: string, options: RequestOptions): Headers {
  const headers = new Headers({ Accept: 'application/json' })
  const org = options.org === undefined ? context.org : options.org
  if (org) headers.set('Evenhand-Org', org)
  if (isAway()) headers.set(BACKGROUND, '1')
  if (method !== 'GET') {
    if (context.csrf) headers.set('X-Evenhand-CSRF', context.csrf)
    headers.set('Idempotency-Key', options.key ?? newKey())
  }
  if (options.raw?.type) headers.set('Content-Type', options.raw.type)
  else if (options.body !== undefined && !options.raw) headers.set('Content-Type', 'application/json')
  return headers
}

export async function problemOf(response: Response, what: string): Promise<ApiError> {
  let problem: Problem = {}
  try {
    problem = (await response.json()) as Problem
  } catch {
    // not JSON: a proxy or a crash answered
  }
  const known = problem.code !== undefined && codes.includes(problem.code)
  const code = (known ? problem.code : codeOfStatus(response.status)) as ErrorCode
  return new ApiError(
    response.status,
    code,
    problem.title ?? t('ui.error.unexpected.title'),
    problem.detail ?? t('ui.error.unexpected.detail', { status: String(response.status), what }),
    problem.hint ?? (problem.title ? '' : t('ui.error.unexpected.hint')),
    problem.errors ?? [],
  )
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'signin'
  if (status === 403) return 'denied'
  if (status === 404) return 'missing'
  if (status === 409) return 'conflict'
  if (status === 400 || status === 422 || status === 413) return 'invalid'
  if (status === 429 || status === 503) return 'busy'
  if (status === 502 || status === 504) return 'upstream'
  return 'unexpected'
}

const wait = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new DOMException('aborted', 'AbortError'))
    })
  })

/** What a page may wait for without a word, in seconds. Told to come back later than that, it says so at once. */
const PATIENCE_S = 3

/** Fetch with our headers; resolves for 2xx and 304, throws ApiError otherwise. Reads are tried up to three times. */
export async function send(method: string, path: string, options: RequestOptions = {}, extra?: Record<string, string>): Promise<Response> {
  const headers = headersFor(method, options)
  for (const [name, value] of Object.entries(extra ?? {})) headers.set(name, value)
  const what = `${method} ${path}`
  let asked = false
  for (let tries = 1; ; tries += 1) {
    let failure: ApiError
    let afterS = (200 * 4 ** (tries - 1)) / 1000
    try {
      const response = await fetch(apiUrl(path, options.query), {
        method,
        headers,
        body: options.raw ? options.raw.body : options.body === undefined ? null : JSON.stringify(options.body),
        credentials: 'same-origin',
        signal: options.signal ?? null,
        keepalive: options.keepalive ?? false,
      })
      if (response.ok || response.status === 304) return response
      failure = await problemOf(response, what)
      const told = Number(response.headers.get('Retry-After'))
      if (told > 0) afterS = told
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      failure = new ApiError(0, 'offline', t('ui.error.offline.title'), t('ui.error.offline.detail', { what }), t('ui.error.offline.hint'))
    }
    if (failure.code === 'prove' && prover && !asked) {
      asked = true
      if (await prover()) continue
    }
    if (failure.code === 'signin' && path !== '/session') for (const listener of signedOut) listener()
    if (method !== 'GET' || !failure.transient || tries >= 3 || afterS > PATIENCE_S) throw failure
    await wait(afterS * 1000, options.signal)
  }
}

export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options)
  if (response.status === 204) return undefined as T
  const text = await response.text()
  return (text ? JSON.parse(text) : undefined) as T
}

export const api = {
  get: <T>(path: string, query?: Query, options: RequestOptions = {}) => request<T>('GET', path, { ...options, query }),
  post: <T>(path: string, body?: unknown, options: RequestOptions = {}) => request<T>('POST', path, { ...options, body: body ?? {} }),
  put: <T>(path: string, body?: unknown, options: RequestOptions = {}) => request<T>('PUT', path, { ...options, body: body ?? {} }),
  patch: <T>(path: string, body?: unknown, options: RequestOptions = {}) => request<T>('PATCH', path, { ...options, body: body ?? {} }),
  del: <T>(path: string, options: RequestOptions = {}) => request<T>('DELETE', path, options),
}

export type Page<T> = { items: T[]; next: string | null; total?: number | null }

/** Upload with progress; fetch cannot report it. `onPart` gets 0..1. */
export function upload<T>(path: string, form: FormData, onPart: (share: number) => void, signal?: AbortSignal, key: string = newKey()): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    xhr.open('POST', API + path)
    xhr.setRequestHeader('Accept', 'application/json')
    xhr.setRequestHeader('Idempotency-Key', key)
    if (context.csrf) xhr.setRequestHeader('X-Evenhand-CSRF', context.csrf)
    if (context.org) xhr.setRequestHeader('Evenhand-Org', context.org)
    xhr.upload.onprogress = (event) => event.lengthComputable && onPart(event.loaded / event.total)
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(JSON.parse(xhr.responseText) as T)
      else void problemOf(new Response(xhr.responseText, { status: xhr.status || 500 }), `POST ${path}`).then(reject)
    }
    xhr.onerror = () =>
      reject(new ApiError(0, 'offline', t('ui.error.offline.title'), t('ui.error.offline.detail', { what: `POST ${path}` }), t('ui.error.offline.hint')))
    xhr.onabort = () => reject(new DOMException('aborted', 'AbortError'))
    signal?.addEventListener('abort', () => xhr.abort())
    xhr.send(form)
  })
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

/** Whatever was thrown, as something that can be shown. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const text = error instanceof Error ? error.message : String(error)
  return new ApiError(0, 'unexpected', t('ui.error.unexpected.title'), text, t('ui.error.unexpected.hint'))
}
