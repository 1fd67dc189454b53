/** For tests: `play` with a picture of 1,000 by 800 and two classes. */
import { boundsOfAnnotation } from '../../../kinds/list'
import { player } from '../../../kernel/play'
import { Scene } from '../../../kernel/scene'
import type { Annotation, BoxAnnotation, Ontology } from '../../../model/types'
import type { ImageContext } from './context'

export const ontology: Ontology = {
  classes: [
    { name: 'car', kinds: ['box', 'polygon', 'line', 'point'], hotkey: 'c' },
    { name: 'person', kinds: ['box', 'point'] },
  ],
  attributes: [{ name: 'occluded', type: 'boolean' }],
  fields: [],
}

export const sceneOf = (...items: Annotation[]): Scene<Annotation> => Scene.of(items, boundsOfAnnotation)

export const boxAt = (id: string, x: number, y: number, w = 40, h = 30): BoxAnnotation => ({ id, kind: 'box', class: 'car', x, y, w, h })

export function freshContext(): ImageContext {
  let count = 0
  return {
    scene: sceneOf(),
    selection: new Set(),
    zoom: 1,
    size: { w: 1000, h: 800 },
    ontology,
    turning: false,
    vertex: null,
    readOnly: false,
    newId: () => `n${++count}`,
    classFor: () => '',
    visible: () => true,
  }
}

export const play = player<Annotation, ImageContext>(freshContext)
