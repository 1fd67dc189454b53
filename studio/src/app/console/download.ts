// Downloads are plain links, so that the browser streams them to disk. A link cannot carry a header: the organisation
// stands in its query.
import { apiUrl, getOrg, type Query } from '../../ui/api'

export function downloadUrl(path: string, query: Query = {}): string {
  return apiUrl(path, { ...query, org: getOrg() })
}

export function startDownload(url: string, name: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}

/** Something to call a file: letters, digits and dashes. */
export function fileName(name: string, ending: string): string {
  return `${name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'export'}.${ending}`
}
