import { useState } from 'react'
import { Button } from '../../../ui/Button'
import { formatBytes, t } from '../../../ui/messages'
import { toastError } from '../../../ui/Toast'
import { downloadUrl, fileName, startDownload } from '../download'
import { makeArchive } from './archive'

/** One file with everything: made by the server, then downloaded. */
export function TakeEverything({ name }: { name: string }) {
  const [bytes, setBytes] = useState<number | null>(null)
  const take = async () => {
    setBytes(0)
    try {
      await makeArchive(setBytes)
      startDownload(downloadUrl('/archive'), fileName(name, 'zip'))
    } catch (error) {
      toastError(error)
    } finally {
      setBytes(null)
    }
  }
  return (
    <section className="eh-card eh-stack" aria-labelledby="archive">
      <h2 id="archive">{t('console.archive')}</h2>
      <p className="eh-muted">
        {t('console.archive.text')} <code>evenhand archive import</code>
      </p>
      <div className="eh-row">
        <Button look="primary" icon="download" busy={bytes !== null} onClick={() => void take()}>
          {t('console.archive.do')}
        </Button>
        <span className="eh-muted" role="status">
          {bytes === null ? '' : bytes === 0 ? t('console.archive.making') : t('console.archive.making-bytes', { size: formatBytes(bytes) })}
        </span>
      </div>
    </section>
  )
}
