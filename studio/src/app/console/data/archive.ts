// Everything of a space as one file: the server puts it together and says how far it is, line by line; then it lies ready for
// some days and is downloaded like any other file, which a browser can go on with when the line breaks off.
import { ApiError, send } from '../../../ui/api'
import { t } from '../../../ui/messages'

export type Archive = { id: string; size: number; sha256: string; made_at: string; until: string }
type Line = { bytes: number; archive?: Archive; problem?: { title: string; detail: string; hint?: string; status: number } }

/** Has the archive made. Throws ApiError where it can't be, also in the middle. */
export async function makeArchive(onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<Archive> {
  const response = await send('POST', '/archive', { ...(signal ? { signal } : {}) })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let held = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) break
    const lines = (held + value).split('\n')
    held = lines.pop()!
    for (const line of lines) {
      const said = JSON.parse(line) as Line
      if (said.archive) return said.archive
      if (said.problem) throw new ApiError(said.problem.status, 'unexpected', said.problem.title, said.problem.detail, said.problem.hint ?? '')
      onBytes(said.bytes)
    }
  }
  throw new ApiError(0, 'offline', t('console.archive.broke'), t('console.archive.broke-detail'), t('console.archive.broke-hint'))
}
