// What a new project starts from. A template is data: the ontology and instructions stay editable.
import type { Medium, Ontology } from '../../../model/types'
import type { IconName } from '../../../ui/Icon'
import { colorAt } from './palette'

export type TemplateId = 'boxes' | 'polygons' | 'spans' | 'categories' | 'transcription' | 'compare'

export type Template = { id: TemplateId; icon: IconName; medium: Medium; media: readonly Medium[]; ontology: Ontology; instructions: string }

const empty: Ontology = { classes: [], attributes: [], fields: [] }

export const templates: readonly Template[] = [
  {
    id: 'boxes',
    icon: 'image',
    medium: 'image',
    media: ['image'],
    ontology: {
      ...empty,
      classes: [
        { name: 'car', color: colorAt(0), hotkey: '1', kinds: ['box'] },
        { name: 'person', color: colorAt(1), hotkey: '2', kinds: ['box'] },
      ],
      attributes: [{ name: 'occluded', type: 'boolean', title: 'Partly hidden' }],
    },
    instructions: '# Draw a box around every object\n\n* Edges touch the visible outline; no margin.\n* Boxes of objects that hide one another may overlap.\n* Leave out objects smaller than 10 × 10 pixels.\n',
  },
  {
    id: 'polygons',
    icon: 'polygon',
    medium: 'image',
    media: ['image'],
    ontology: {
      ...empty,
      classes: [
        { name: 'building', color: colorAt(0), hotkey: '1', kinds: ['polygon'] },
        { name: 'road', color: colorAt(1), hotkey: '2', kinds: ['polygon', 'line'] },
      ],
      limits: { polygon: { min_points: 3, max_points: 2000 } },
    },
    instructions: '# Outline every area\n\n* Follow the edge to within 3 pixels.\n* Put points at corners; few points on straight edges.\n',
  },
  {
    id: 'spans',
    icon: 'text',
    medium: 'text',
    media: ['text'],
    ontology: {
      ...empty,
      classes: [
        { name: 'person', color: colorAt(0), hotkey: 'p', kinds: ['span'] },
        { name: 'organisation', color: colorAt(1), hotkey: 'o', kinds: ['span'] },
        { name: 'place', color: colorAt(2), hotkey: 'l', kinds: ['span'] },
      ],
    },
    instructions: '# Mark every name\n\n* Mark the whole name, without titles such as “Dr”.\n* Mark a name every time it occurs.\n* Spans may overlap: “Bank of **England**” is an organisation that holds a place.\n',
  },
  {
    id: 'categories',
    icon: 'form',
    medium: 'text',
    media: ['text', 'image'],
    ontology: {
      ...empty,
      fields: [
        {
          key: 'category',
          type: 'choice',
          title: 'Which category fits best?',
          required: true,
          choices: [
            { value: 'complaint', label: 'Complaint', hotkey: '1' },
            { value: 'question', label: 'Question', hotkey: '2' },
            { value: 'praise', label: 'Praise', hotkey: '3' },
            { value: 'other', label: 'Other', hotkey: '4' },
          ],
        },
      ],
    },
    instructions: '# Choose one category\n\nDecide by what the writer wants, not by the words used. If two fit, take the one that asks for an action.\n',
  },
  {
    id: 'transcription',
    icon: 'edit',
    medium: 'image',
    media: ['image', 'text'],
    ontology: { ...empty, fields: [{ key: 'transcript', type: 'text', title: 'What does it say?', long: true, required: true }] },
    instructions: '# Type what you see\n\n* Keep line breaks, spelling and capital letters as they are.\n* Write [?] for a word that cannot be read.\n',
  },
  {
    id: 'compare',
    icon: 'chat',
    medium: 'conversation',
    media: ['conversation'],
    ontology: {
      ...empty,
      fields: [
        { key: 'better', type: 'preference', title: 'Which answer is better?', required: true },
        { key: 'correct', type: 'rating', title: 'How correct is this answer?', min: 1, max: 5, step: 1, target: 'answers' },
        { key: 'reason', type: 'text', title: 'Why?', long: true },
      ],
    },
    instructions: '# Compare two answers\n\n1. Read the whole conversation.\n2. Prefer the answer that is correct; then the one that is clearer; then the shorter one.\n3. Say “equal” only if you could not choose with more time.\n',
  },
]
