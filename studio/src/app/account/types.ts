export type SessionLine = {
  id: string
  method: 'passkey' | 'code' | 'recovery' | 'password' | 'provider'
  started_at: string
  seen_at: string
  expires_at: string
  ends_at: string
  address: string
  browser: string
  current: boolean
  bound: boolean
}
export type PasskeyLine = { id: string; name: string; created_at: string; used_at: string | null }
export type Security = {
  password: boolean
  app: string | null
  recovery_left: number
  passkeys: PasskeyLine[]
  sessions: SessionLine[]
  demo: boolean
  fresh_s: number
}
