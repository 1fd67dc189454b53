/**
 * Class colours that colour-blind people can tell apart (after Okabe and Ito 2008, lightened where a photograph would
 * swallow them), and a second channel for everybody: the class's number, and a dash pattern once colours come round again.
 */
import type { OntologyClass } from '../model/types'

export const COLORS = [
  '#e69f00', // orange
  '#56b4e9', // sky
  '#00b386', // green
  '#f0e442', // yellow
  '#d55e00', // vermilion
  '#3d8bff', // blue
  '#e07ab0', // pink
  '#e6004d', // crimson
] as const

/** Screen pixels on, off; the first is solid. */
const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3]]

export const UNNAMED_COLOR = '#ffffff'
const UNNAMED_DASH: readonly number[] = [3, 3]

export interface ClassStyle {
  readonly color: string
  /** Black or white, whichever reads better on the colour. */
  readonly ink: string
  readonly dash: readonly number[]
  /** 1, 2, ... in the order of the ontology; 0 = no such class. */
  readonly number: number
}

const HEX = /^#[0-9a-f]{6}$/i

function luminance(color: string): number {
  const part = (at: number): number => {
    const c = parseInt(color.slice(at, at + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

/** WCAG contrast against black beats contrast against white from a luminance of 0.179 on. */
export const inkOn = (color: string): string => (luminance(color) > 0.179 ? '#000000' : '#ffffff')

export function classStyles(classes: readonly OntologyClass[]): (name: string) => ClassStyle {
  const styles = new Map<string, ClassStyle>()
  const used = new Map<string, number>()
  classes.forEach((one, i) => {
    const own = one.color !== undefined && HEX.test(one.color) ? one.color.toLowerCase() : null
    const color = own ?? (COLORS[i % COLORS.length] as string)
    const again = used.get(color) ?? 0
    used.set(color, again + 1)
    styles.set(one.name, {
      color,
      ink: inkOn(color),
      dash: DASHES[again % DASHES.length] as readonly number[],
      number: i + 1,
    })
  })
  const unnamed: ClassStyle = { color: UNNAMED_COLOR, ink: '#000000', dash: UNNAMED_DASH, number: 0 }
  return (name) => styles.get(name) ?? unnamed
}
