// What the operator's routes say: names and counts, nothing of what customers have stored.
export type OperatorOrg = { id: string; name: string; members: number; waiting: number }
export type OperatorPerson = { id: string; name: string; email: string; state: 'invited' | 'active' | 'left'; operator: boolean; director: boolean }
export type Overview = { orgs: OperatorOrg[]; people: OperatorPerson[]; jobs: { ready: number; running: number; dead: number } }
export type Access = {
  grants: { id: string; org: string; org_name: string; kind: 'support' | 'break_glass'; project: string | null; until_at: string }[]
  asks: { id: string; org: string; org_name: string; staff: string; project: string | null; minutes: number; created_at: string; mine: boolean }[]
}
export type OrgContract = { org: string; version: number; price_class: string; weight: number; capacity_h: number | null }
export type KeptOff = { person: string; name: string; org: string; org_name: string; until: string }
