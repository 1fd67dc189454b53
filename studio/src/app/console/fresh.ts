import { api } from '../../ui/api'
import { toastError } from '../../ui/Toast'
import { startDownload } from './download'

/** A link to a file can't ask whether it is still you, so that is asked before it is followed. */
export async function downloadWhenFresh(url: string, name: string): Promise<void> {
  try {
    await api.get('/me/fresh', undefined, { org: null })
  } catch (error) {
    toastError(error)
    return
  }
  startDownload(url, name)
}
