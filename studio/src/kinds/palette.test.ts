import { describe, expect, test } from 'vitest'
import { COLORS, classStyles, inkOn } from './palette'

const rgb = (color: string): [number, number, number] => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16) / 255) as [number, number, number]
const linear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)

/** Viénot, Brettel and Mollon 1999: protanopia and deuteranopia in linear RGB. */
const SIMULATED: Record<string, readonly (readonly number[])[]> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
  deutan: [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}

function lab(linearRgb: readonly number[]): number[] {
  const [r, g, b] = linearRgb as [number, number, number]
  const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

const apart = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((n, i) => n - (b[i] as number)))

describe('palette', () => {
  test.each(Object.keys(SIMULATED))('all colours can be told apart: %s', (who) => {
    const matrix = SIMULATED[who] as readonly (readonly number[])[]
    const seen = COLORS.map((c) => {
      const v = rgb(c).map(linear)
      return lab(matrix.map((row) => Math.max(0, row.reduce((sum, n, i) => sum + n * (v[i] as number), 0))))
    })
    for (let i = 0; i < seen.length; i++) for (let j = 0; j < i; j++) expect(apart(seen[i] as number[], seen[j] as number[]), `${COLORS[i]} ${COLORS[j]}`).toBeGreaterThan(16)
  })

  test('text on every colour reads', () => {
    for (const color of COLORS) {
      const l = rgb(color).map(linear)
      const luminance = 0.2126 * (l[0] as number) + 0.7152 * (l[1] as number) + 0.0722 * (l[2] as number)
      const contrast = inkOn(color) === '#000000' ? (luminance + 0.05) / 0.05 : 1.05 / (luminance + 0.05)
      expect(contrast, color).toBeGreaterThanOrEqual(4.5)
    }
  })

  test('the same colour twice differs in dash; every class has its number', () => {
    const styles = classStyles(Array.from({ length: 20 }, (_, i) => ({ name: `c${i}`, kinds: ['box'] as const })))
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const style = styles(`c${i}`)
      expect(style.number).toBe(i + 1)
      seen.add(style.color + style.dash.join())
    }
    expect(seen.size).toBe(20)
  })

  test('own colours are kept, wrong ones are not', () => {
    const styles = classStyles([{ name: 'a', color: '#ABCDEF', kinds: [] }, { name: 'b', color: 'red; x', kinds: [] }])
    expect(styles('a').color).toBe('#abcdef')
    expect(styles('b').color).toBe(COLORS[1])
    expect(styles('nobody').number).toBe(0)
  })
})
