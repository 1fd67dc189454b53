// What the operator's routes say: names and counts, nothing of what customers have stored.
export type OperatorOrg = { id: string; name: string; members: number; waiting: number }
export type OperatorPerson = { id: string; name: string; email: string; state: 'invited' | 'active' | 'left'; operator: boolean }
export type Overview = { orgs: OperatorOrg[]; people: OperatorPerson[]; jobs: { ready: number; running: number; dead: number } }
