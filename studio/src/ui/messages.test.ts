import { describe, expect, it } from 'vitest'
import { formatBytes, formatDuration, formatPercent, setCatalogue, t } from './messages'
import { match } from './router'

describe('messages', () => {
  it('fills places and keeps unknown ones', () => {
    expect(t('ui.sorted-by', { name: 'Age' })).toBe('Sort by Age')
    expect(t('ui.error.unexpected.detail', { status: '500' })).toBe('Status 500 for {what}.')
  })
  it('falls back to English', () => {
    setCatalogue('de', { 'ui.close': 'Schließen' })
    expect(t('ui.close')).toBe('Schließen')
    expect(t('ui.save')).toBe('Save')
    setCatalogue('en', {})
  })
  it('writes numbers with units', () => {
    expect(formatDuration(4.24)).toBe('4.2 sec')
    expect(formatDuration(0.03)).toBe('<1 sec')
    expect(formatDuration(0)).toBe('0 sec')
    expect(formatDuration(18_600)).toBe('5 hr 10 min')
    expect(formatPercent(0.934, 1)).toBe('93.4%')
    expect(formatBytes(1_500_000)).toBe('1.5 MB')
  })
})

describe('match', () => {
  it('names the parts of an address', () => {
    expect(match('/console/projects/:id/:tab?', '/console/projects/abc')).toEqual({ id: 'abc' })
    expect(match('/console/projects/:id/:tab?', '/console/projects/abc/tasks')).toEqual({ id: 'abc', tab: 'tasks' })
    expect(match('/console/projects/:id', '/console/people/x')).toBeNull()
    expect(match('/work', '/work/x')).toBeNull()
  })
})
