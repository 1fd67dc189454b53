/** The board of a picture, as the document that forms and drafts work with. */
import { addEdits, changeEdit, removeEdits } from '../../kernel/edits'
import { store } from '../../kernel/history'
import type { Annotation } from '../../model/types'
import type { AnswerDocument } from '../../surfaces/forms/document'
import type { ImageSurface } from '../../surfaces/image/surface'

export function boardDocument(surface: ImageSurface): AnswerDocument {
  const { board } = surface
  let of: unknown = null
  let items: readonly Annotation[] = []
  const document: AnswerDocument = {
    get scene() {
      return board.scene
    },
    get annotations() {
      if (of !== board.scene) {
        of = board.scene
        items = board.scene.items()
      }
      return items
    },
    get history() {
      return board.history
    },
    get marks() {
      return store(board.history)
    },
    commit: (_name, edits, join) => board.perform(edits, 'field', join),
    add: (_name, annotations) => board.perform(addEdits(board.scene, annotations), 'field'),
    remove: (_name, ids) => board.perform(removeEdits(board.scene, ids), 'field'),
    put: (_name, annotation, join) => {
      const before = board.scene.find(annotation.id)
      const edit = before ? changeEdit(before, annotation) : null
      board.perform(before ? (edit ? [edit] : []) : addEdits(board.scene, [annotation]), 'field', join)
    },
    undo: () => board.undo(),
    redo: () => board.redo(),
    on: (listener) => surface.on('edits', listener),
  }
  return document
}
