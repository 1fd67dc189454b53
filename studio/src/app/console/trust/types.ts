// What the trust page reads.
export type TrustEvent = { id: string; at: string; who: string; what: string; about: string | null; counter: number | null; detail: Record<string, unknown> }
export type LogStatus = { size: number; epoch: number; batch_at: string | null; epoch_at: string | null; late_s: number }
export type WitnessSeen = { name: string; cosigned_at: string | null }
export type TrustStatus = { log: LogStatus; key: string; events: number; witnesses: WitnessSeen[]; quorum: boolean | null }
export type Feed = { id: string; url: string; on: boolean; secret: string; behind: number; sent_at: string | null; tries: number; error: string }

export const groups = ['all', 'access', 'people', 'keys', 'exports', 'deletions'] as const
export type Group = (typeof groups)[number]
