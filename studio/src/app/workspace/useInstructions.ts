/** Instructions of a project, and whether they have changed since this person last looked. */
import { useCallback, useEffect, useState } from 'react'
import type { Storage } from './storage'
import type { Assignment, Instructions } from './types'
import { workApi } from './workApi'

interface Loaded {
  readonly project: string
  readonly version: number
  readonly instructions: Instructions | null
  readonly error: unknown
}

export interface InstructionsState {
  readonly instructions: Instructions | null
  readonly error: unknown
  /** Never seen by this person on this device. */
  readonly fresh: boolean
  readonly changed: boolean
  readonly summary: string
  retry(): void
  seen(): void
}

const noteKey = (project: string): string => `instructions:${project}`

export function useInstructions(assignment: Assignment | null, storage: Storage): InstructionsState {
  const project = assignment?.project.id ?? ''
  const version = assignment?.instructions_version ?? 0
  const [loaded, setLoaded] = useState<Loaded | null>(null)
  const [seen, setSeen] = useState<{ readonly project: string; readonly version: number | null } | null>(null)
  const [tries, setTries] = useState(0)
  useEffect(() => {
    if (!project) return
    let gone = false
    workApi.instructions(project).then(
      (instructions) => gone || setLoaded({ project, version, instructions, error: null }),
      (error: unknown) => gone || setLoaded((old) => ({ project, version, instructions: old?.project === project ? old.instructions : null, error })),
    )
    return () => {
      gone = true
    }
  }, [project, version, tries])
  useEffect(() => {
    if (!project) return
    let gone = false
    storage.note(noteKey(project)).then(
      (note) => gone || setSeen({ project, version: typeof note === 'number' ? note : null }),
      () => gone || setSeen({ project, version: null }),
    )
    return () => {
      gone = true
    }
  }, [project, storage])
  const known = seen?.project === project ? seen : null
  const before = known?.version ?? null
  const mark = useCallback(() => {
    if (!project) return
    setSeen({ project, version })
    void storage.putNote(noteKey(project), version).catch(() => undefined)
  }, [project, version, storage])
  const own = loaded?.project === project ? loaded : null
  const changes = own?.instructions?.changes.filter((change) => before !== null && change.version > before) ?? []
  return {
    instructions: own?.instructions ?? null,
    error: own?.error ?? null,
    fresh: known !== null && before === null,
    changed: before !== null && version > before,
    summary: changes.map((change) => change.summary).join(' '),
    retry: useCallback(() => setTries((n) => n + 1), []),
    seen: mark,
  }
}
