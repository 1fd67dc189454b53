/**
 * The image editor as annotators use it (picture, rail, list, attributes), driven by `bench/editor.py`.
 * Query: `boxes`, `image` (address), `w`, `h`, `theme`. The page waits for `bench.open()` so that opening can be timed.
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
  open(annotations?: readonly Annotation[]): Promise<number>
}

const bench: Bench = {
  surface: null,
  annotations: makeBoxes(count),
  /** Resolves when picture and shapes have been painted. */
  open: (annotations = bench.annotations) =>
    new Promise((done) => {
      const began = performance.now()
      const root = document.getElementById('root')
      if (!root) throw new Error('no root')
      const settled = (surface: ImageSurface | null): void => {
        bench.surface = surface
        surface?.on('ready', () => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began))))
      }
      createRoot(root).render(
        <StrictMode>
          <Editor annotations={annotations} onSurface={settled} />
        </StrictMode>,
      )
    }),
}

Object.assign(window, { bench })
const theme = query.get('theme')
if (theme) document.documentElement.dataset['theme'] = theme
