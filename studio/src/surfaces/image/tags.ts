/** Labels beside shapes: number and name of the class on its colour, drawn once per class and then copied. */
import type { ClassStyle } from '../../kinds/palette'

export const TAG_H = 16
const PAD = 4
const FONT = '600 11px "Inter Variable", system-ui, sans-serif'
const MOST_px = 180

export interface Tag {
  readonly image: HTMLCanvasElement
  /** CSS pixels. */
  readonly w: number
}

export class Tags {
  private readonly made = new Map<string, Tag>()
  private dpr = 1

  /** Other pixels, other fonts: everything is drawn anew. */
  reset(dpr: number): void {
    this.dpr = dpr
    this.made.clear()
  }

  of(title: string, style: ClassStyle, withName: boolean): Tag {
    const key = `${style.number}|${style.color}|${withName ? title : ''}`
    let tag = this.made.get(key)
    if (!tag) this.made.set(key, (tag = this.make(title, style, withName)))
    return tag
  }

  private make(title: string, style: ClassStyle, withName: boolean): Tag {
    const image = document.createElement('canvas')
    const measure = image.getContext('2d')
    if (!measure) return { image, w: 0 }
    measure.font = FONT
    const number = style.number > 0 ? String(style.number) : '?'
    const name = withName ? shortened(title, measure) : ''
    const numberW = measure.measureText(number).width
    const nameW = name === '' ? 0 : measure.measureText(name).width + PAD
    const w = Math.ceil(PAD + numberW + nameW + PAD)
    image.width = Math.ceil(w * this.dpr)
    image.height = Math.ceil(TAG_H * this.dpr)
    const context = image.getContext('2d')
    if (!context) return { image, w }
    context.scale(this.dpr, this.dpr)
    context.fillStyle = style.color
    context.fillRect(0, 0, w, TAG_H)
    context.font = FONT
    context.textBaseline = 'middle'
    context.fillStyle = style.ink
    context.fillText(number, PAD, TAG_H / 2 + 0.5)
    if (name !== '') context.fillText(name, PAD + numberW + PAD, TAG_H / 2 + 0.5)
    return { image, w }
  }
}

function shortened(title: string, measure: CanvasRenderingContext2D): string {
  if (measure.measureText(title).width <= MOST_px) return title
  const letters = [...title]
  while (letters.length > 1 && measure.measureText(`${letters.join('')}…`).width > MOST_px) letters.pop()
  return `${letters.join('')}…`
}
