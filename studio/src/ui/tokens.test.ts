import css from './tokens.css?raw'
import { describe, expect, it } from 'vitest'


function block(start: string): Record<string, string> {
  const from = css.indexOf('{', css.indexOf(start))
  const text = css.slice(from + 1, css.indexOf('}', from))
  return Object.fromEntries([...text.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((m) => [m[1] as string, (m[2] as string).trim()]))
}

const light = block('\n:root {')
const system = block(":root:not([data-theme='light'])")
const dark = block(":root[data-theme='dark']")

function luminance(hex: string): number {
  const channel = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  return 0.2126 * (channel[0] as number) + 0.7152 * (channel[1] as number) + 0.0722 * (channel[2] as number)
}

function ratio(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

const grounds = ['--bg', '--bg-raised', '--bg-sunken', '--bg-hover', '--accent-soft']
const texts = ['--fg', '--fg-muted', '--accent', '--danger', '--ok', '--warn']

describe('tokens', () => {
  it('says the same for a dark system and a chosen dark theme', () => {
    expect(dark).toEqual(system)
  })
  for (const [name, theme] of [['light', light], ['dark', dark]] as const) {
    it(`keeps text readable (${name}): WCAG AA, 4.5`, () => {
      const poor: string[] = []
      const check = (fg: string, bg: string, least: number) => {
        const found = ratio(theme[fg] as string, theme[bg] as string)
        if (found < least) poor.push(`${fg} on ${bg}: ${found.toFixed(2)} < ${least}`)
      }
      for (const bg of grounds) for (const fg of texts) check(fg, bg, 4.5)
      for (const look of ['danger', 'ok', 'warn']) {
        check(`--${look}`, `--${look}-soft`, 4.5)
        check('--fg', `--${look}-soft`, 4.5)
      }
      check('--accent-fg', '--accent', 4.5)
      check('--accent-fg', '--accent-hover', 4.5)
      for (const bg of ['--bg', '--bg-raised', '--bg-sunken']) {
        check('--line-strong', bg, 3)
        check('--focus', bg, 3)
      }
      expect(poor).toEqual([])
    })
  }
})
