/**
 * The image editor as annotators use it (picture, rail, list, attributes), driven by `bench/editor.py`.
 * Query: `boxes`, `image` (address), `w`, `h`, `theme`. `bench.opened` gives the milliseconds from navigation to painted.
 */
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { AnnotationList } from '../surfaces/image/AnnotationList'
import { AttributePanel } from '../surfaces/image/AttributePanel'
import { ImageSurfaceView } from '../surfaces/image/ImageSurfaceView'
import type { ImageSurface } from '../surfaces/image/surface'
import type { Annotation, Ontology } from '../model/types'
import '../ui/tokens.css'
import '../ui/base.css'
import './editor.css'

const query = new URLSearchParams(location.search)
const count = Number(query.get('boxes') ?? 100)
const image = {
  url: query.get('image') ?? 'picture.png',
  width: Number(query.get('w') ?? 2000),
  height: Number(query.get('h') ?? 1500),
  name: 'bench picture',
}

const ontology: Ontology = {
  classes: [
    { name: 'car', kinds: ['box', 'polygon'], hotkey: 'c' },
    { name: 'person', kinds: ['box', 'point'] },
    { name: 'bicycle', kinds: ['box', 'polygon'] },
    { name: 'traffic_light', title: 'Traffic light', kinds: ['box'], attributes: ['state'] },
    { name: 'lane', kinds: ['line'] },
    { name: 'tree', kinds: ['polygon', 'box'] },
  ],
  attributes: [
    { name: 'occluded', title: 'Occluded', type: 'boolean' },
    { name: 'state', title: 'State', type: 'choice', choices: ['red', 'amber', 'green', 'off'], required: true },
  ],
  fields: [],
}

/** Mulberry32: the same boxes at every run. */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function makeBoxes(n: number): Annotation[] {
  const next = random(7)
  const names = ['car', 'person', 'bicycle', 'tree']
  const side = Math.sqrt((image.width * image.height) / Math.max(n, 1))
  return Array.from({ length: n }, (_, i) => {
    const w = Math.round(side * (0.3 + 0.6 * next()))
    const h = Math.round(side * (0.3 + 0.6 * next()))
    return {
      id: `b${i}`,
      kind: 'box',
      class: names[i % names.length] as string,
      x: Math.round(next() * (image.width - w)),
      y: Math.round(next() * (image.height - h)),
      w,
      h,
    }
  })
}

function Editor({ annotations, onSurface }: { annotations: readonly Annotation[]; onSurface(surface: ImageSurface | null): void }) {
  const [surface, setSurface] = useState<ImageSurface | null>(null)
  const take = (next: ImageSurface | null) => {
    setSurface(next)
    onSurface(next)
  }
  return (
    <main className="eh-bench">
      <ImageSurfaceView image={image} ontology={ontology} annotations={annotations} onSurface={take} />
      <div className="eh-bench-side">
        {surface ? (
          <>
            <AttributePanel surface={surface} />
            <div className="eh-bench-list">
              <AnnotationList surface={surface} />
            </div>
          </>
        ) : null}
      </div>
    </main>
  )
}

interface Bench {
  surface: ImageSurface | null
  readonly annotations: readonly Annotation[]
  /** Milliseconds from navigation until picture and shapes have been painted. */
  readonly opened: Promise<number>
}

function open(bench: Bench): Promise<number> {
  const theme = query.get('theme')
  if (theme) document.documentElement.dataset['theme'] = theme
  const root = document.getElementById('root')
  if (!root) throw new Error('no root')
  return new Promise((done) => {
    const take = (surface: ImageSurface | null): void => {
      bench.surface = surface
      surface?.on('ready', () => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))
    }
    createRoot(root).render(
      <StrictMode>
        <Editor annotations={bench.annotations} onSurface={take} />
      </StrictMode>,
    )
  })
}

const bench: Bench & { opened: Promise<number> } = { surface: null, annotations: makeBoxes(count), opened: Promise.resolve(0) }
bench.opened = open(bench)
Object.assign(window, { bench })
