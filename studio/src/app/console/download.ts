// Downloads by fetch: the organisation travels in a header, which a plain link cannot send. Streams to disk where the
// browser can, else through a Blob; tells how much has arrived and can be stopped.
import { apiUrl, problemOf, send, type Query } from '../../ui/api'
import { saveBlob } from './plot/save'

type Picker = (options: { suggestedName: string }) => Promise<{ createWritable: () => Promise<WritableStream<Uint8Array>> }>

export async function download(path: string, query: Query, name: string, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  const picker = (window as { showSaveFilePicker?: Picker }).showSaveFilePicker
  let target: WritableStream<Uint8Array> | null = null
  if (picker && !navigator.webdriver) target = await (await picker({ suggestedName: name })).createWritable()
  const response = await send('GET', path, { query, signal }, { Accept: '*/*' })
  if (!response.ok || !response.body) throw await problemOf(response, `GET ${apiUrl(path)}`)
  const reader = response.body.getReader()
  const writer = target?.getWriter()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    bytes += value.byteLength
    onBytes(bytes)
    if (writer) await writer.write(value)
    else parts.push(value as Uint8Array<ArrayBuffer>)
  }
  if (writer) await writer.close()
  else saveBlob(name, new Blob(parts, { type: response.headers.get('Content-Type') ?? 'application/octet-stream' }))
}

/** Something to call a file: letters, digits and dashes. */
export function fileName(name: string, ending: string): string {
  return `${name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'export'}.${ending}`
}
