export type GivenRole = 'viewer' | 'manager' | 'annotator' | 'reviewer'
export type Provider = { issuer: string; client_id: string; role: GivenRole; on: boolean; redirect: string; logout: string }
export type Domain = { name: string; verified: boolean; word: string; url: string }
export type Access = { provider: Provider | null; domains: Domain[]; networks: string[]; address: string }
export type Entrance = { id: string; person: string; name: string; method: 'passkey' | 'code' | 'recovery' | 'password' | 'provider'; entered_at: string; address: string; browser: string }
