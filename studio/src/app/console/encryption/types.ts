export type Kind = 'local' | 'aws' | 'vault'
export type State = 'enabled' | 'disabled' | 'pending_deletion' | 'destroyed' | 'unavailable'

/** The key service of a space; where it does not answer, `trouble` says why. */
export type Service = {
  kind: Kind
  where: string
  key_id: string
  state: State
  versions: number[]
  trouble: string
  changed_at: string | null
}

export type KeyVersion = { version: number; under: number; created_at: string }

/** `project` is "" for what belongs to the organisation as a whole. */
export type ProjectKeys = { project: string; versions: KeyVersion[] }

/** One opening of the organisation's key by its service. */
export type KeyUse = {
  at: string
  process: string
  purpose: string
  service: string
  key: string
  versions: string
  keys: number
  refused: number
}

export type KeysView = {
  service: Service
  organisation: KeyVersion[]
  projects: ProjectKeys[]
  uses: KeyUse[]
  life_s: number
}

export type Checked = { where: string; key_id: string; wrap_ms: number; unwrap_ms: number }
export type Level = 'customer' | 'organisation' | 'project'
