// Addresses of the console. The organisation stands in them, so that a link opens the right side of the wall.
import { getOrg } from '../../ui/api'

export function base(): string {
  return `/console/${getOrg() ?? ''}`
}

export const to = {
  home: () => base(),
  projects: () => `${base()}/projects`,
  newProject: () => `${base()}/new`,
  project: (id: string, tab = '') => `${base()}/projects/${id}${tab ? `/${tab}` : ''}`,
  task: (project: string, task: string) => `${base()}/projects/${project}/tasks?task=${task}`,
  tasks: (project: string, query: Record<string, string>) => `${base()}/projects/${project}/tasks?${new URLSearchParams(query).toString()}`,
  fix: (project: string, task: string, answer: string | null) => `${base()}/projects/${project}/fix/${task}${answer ? `?answer=${answer}` : ''}`,
  pilotLabel: (id: string) => `${base()}/projects/${id}/pilot/label`,
  deliveries: () => `${base()}/deliveries`,
  support: () => `${base()}/support`,
  people: () => `${base()}/people`,
  access: () => `${base()}/access`,
  encryption: () => `${base()}/encryption`,
  keys: () => `${base()}/keys`,
  data: () => `${base()}/data`,
  trust: () => `${base()}/trust`,
}
