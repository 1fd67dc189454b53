/** The surface for those who do not see it: a role, a name, how to use it, and what is selected, said politely. */
import { isSpatial, kindOf } from '../../kinds/list'
import type { Scope } from '../../kernel/scope'
import type { Vec } from '../../kernel/vec'
import type { Board } from './board'
import { kindDrawn } from './tools/list'
import { type ImageKey, say, sayPhrase } from './words'

/** Quick changes are said once, when they have settled. */
const SETTLE_ms = 250

let count = 0

export class Speaker {
  private readonly live: HTMLElement
  private wait: (() => void) | null = null

  constructor(
    host: HTMLElement,
    canvas: HTMLElement,
    private readonly board: Board,
    image: { readonly name: string; readonly width: number; readonly height: number },
    private readonly scope: Scope,
  ) {
    const help = document.createElement('div')
    help.className = 'eh-image-quiet'
    help.id = `eh-image-help-${++count}`
    help.textContent = say('image.canvas.help')
    this.live = document.createElement('div')
    this.live.className = 'eh-image-quiet'
    this.live.setAttribute('role', 'status')
    this.live.setAttribute('aria-live', 'polite')
    host.append(help, this.live)
    canvas.tabIndex = 0
    canvas.setAttribute('role', 'application')
    canvas.setAttribute('aria-roledescription', say('image.canvas.role'))
    canvas.setAttribute('aria-label', say('image.canvas', { name: image.name, w: image.width, h: image.height }))
    canvas.setAttribute('aria-describedby', help.id)
    const { events } = board
    events.on('selection', () => this.say(() => this.selection()))
    events.on('tool', (name) => this.say(() => say('image.say.tool', { name: say(`image.tool.${name}`) })))
    events.on('edits', ({ mark, how }) => this.say(() => this.edit(mark, how)))
  }

  cursor(at: Vec): void {
    this.say(() => say('image.say.cursor', { x: Math.round(at.x), y: Math.round(at.y) }))
  }

  placed(at: Vec | null): void {
    const { path, ghosts } = this.board.preview
    if (path) this.say(() => say('image.say.points', { count: path.points.length }))
    else if (ghosts && at && kindDrawn(this.board.tool) === 'box') {
      this.say(() => say('image.say.corner', { x: Math.round(at.x), y: Math.round(at.y) }))
    }
  }

  private say(text: () => string): void {
    this.wait?.()
    this.wait = this.scope.timeout(() => {
      this.live.textContent = text()
    }, SETTLE_ms)
  }

  private edit(mark: string, how: 'do' | 'undo' | 'redo'): string {
    const name = say(`image.mark.${mark}` as ImageKey)
    if (how === 'undo') return say('image.say.undone', { mark: name })
    if (how === 'redo') return say('image.say.redone', { mark: name })
    const shape = this.board.selection.size === 1 ? ` ${this.selection()}` : ''
    return say('image.say.done', { mark: name, count: this.board.scene.size }) + shape
  }

  private selection(): string {
    const { board } = this
    if (board.selection.size === 0) return say('image.say.none')
    const first = board.selectedShapes()[0]
    if (board.selection.size > 1 || !first || !isSpatial(first)) return say('image.say.many', { count: board.selection.size })
    const kind = kindOf(first)
    const b = kind.bounds(first)
    const title = board.ontology.classes.find((c) => c.name === first.class)?.title ?? first.class
    return say('image.say.one', {
      name: `${first.class === '' ? say('image.list.unnamed') : title}, ${say(`image.kind.${first.kind}`)}`,
      size: sayPhrase(kind.size(first)),
      x: Math.round(b.x),
      y: Math.round(b.y),
      rank: board.scene.rank(first.id) + 1,
      count: board.scene.size,
    })
  }
}
