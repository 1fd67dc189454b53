import type { Change } from './diff'

export function ChangedWords({ changes }: { readonly changes: readonly Change[] }) {
  return changes.map((change, at) => (change.op === 'same' ? <span key={at}>{change.text}</span> : change.op === 'gone' ? <del key={at}>{change.text}</del> : <ins key={at}>{change.text}</ins>))
}
