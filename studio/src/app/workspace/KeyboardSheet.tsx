/** All keys that work here, by what is on the desk. */
import { Dialog } from '../../ui/Dialog'
import { Kbd } from '../../ui/Kbd'
import type { Desk } from './desk'
import type { WorkKey } from './messages'
import { say } from './phrases'
import './KeyboardSheet.css'

type Row = readonly [keys: readonly string[], words: WorkKey]

const GENERAL: readonly Row[] = [
  [['Mod+Enter'], 'work.key.submit'],
  [['Z'], 'work.key.recall'],
  [['Mod+Z'], 'work.key.undo'],
  [['Mod+Shift+Z'], 'work.key.redo'],
  [['I'], 'work.key.instructions'],
  [['\\'], 'work.key.panel'],
  [['Escape'], 'work.key.escape'],
  [['Mod+K'], 'work.key.palette'],
  [['?'], 'work.key.sheet'],
]
const IMAGE: readonly Row[] = [
  [['V', 'B', 'P', 'L', 'K'], 'work.key.tools'],
  [['1–9'], 'work.key.class'],
  [['Arrows'], 'work.key.nudge'],
  [['Space'], 'work.key.place'],
  [['Enter'], 'work.key.finish'],
  [[',', '.'], 'work.key.step'],
  [['Delete'], 'work.key.delete'],
  [['Mod+C', 'Mod+V', 'Mod+D'], 'work.key.copy'],
  [['+', '-'], 'work.key.zoom'],
  [['0'], 'work.key.fit'],
]
const TEXT: readonly Row[] = [
  [['1–9', 'Enter'], 'work.key.label'],
  [['Arrows'], 'work.key.caret'],
  [['Alt+Arrows'], 'work.key.ends'],
  [['Shift+Enter'], 'work.key.others'],
  [[',', '.'], 'work.key.step'],
  [['Delete'], 'work.key.delete'],
]
const FORM: readonly Row[] = [
  [['1–9'], 'work.key.option'],
  [['Arrows'], 'work.key.options'],
]
const REVIEW: readonly Row[] = [
  [['C'], 'work.key.compare'],
  [['A'], 'work.key.accept'],
  [['F'], 'work.key.fix'],
  [['R'], 'work.key.reject'],
]

export function KeyboardSheet({ open, onClose, desk, review, toolKeys }: { readonly open: boolean; readonly onClose: () => void; readonly desk: Desk | null; readonly review: boolean; readonly toolKeys: readonly string[] }) {
  const medium = desk?.held.assignment.data.medium
  const fields = (desk?.questions.length ?? 0) > 0
  // Where there is nothing else for it to finish, Enter alone submits.
  const form: readonly Row[] = medium === 'image' || medium === 'text' ? FORM : [...FORM, [['Enter'], 'work.key.submit']]
  const image = IMAGE.map((row, at): Row => (at === 0 && toolKeys.length ? [toolKeys, row[1]] : row))
  return (
    <Dialog open={open} onClose={onClose} title={say('work.sheet.title')} wide>
      <div className="eh-keys">
        {review ? <Group title="work.sheet.review" rows={REVIEW} /> : null}
        {medium === 'image' ? <Group title="work.sheet.image" rows={image} /> : null}
        {medium === 'text' ? <Group title="work.sheet.text" rows={TEXT} /> : null}
        {fields ? <Group title="work.sheet.form" rows={form} /> : null}
        <Group title="work.sheet.general" rows={GENERAL} />
        {desk && desk.ontology.classes.length ? (
          <section>
            <h3>{say('work.sheet.classes')}</h3>
            <dl>
              {desk.ontology.classes.slice(0, 40).map((one, at) => (
                <div key={one.name}>
                  <dt>{one.hotkey ? <Kbd keys={one.hotkey.toUpperCase()} /> : at < 9 ? <Kbd keys={String(at + 1)} /> : null}</dt>
                  <dd>{one.title ?? one.name}</dd>
                </div>
              ))}
            </dl>
          </section>
        ) : null}
      </div>
    </Dialog>
  )
}

function Group({ title, rows }: { readonly title: WorkKey; readonly rows: readonly Row[] }) {
  return (
    <section>
      <h3>{say(title)}</h3>
      <dl>
        {rows.map(([keys, words]) => (
          <div key={words + keys.join()}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key} keys={key === '+' ? 'Plus' : key} />
              ))}
            </dt>
            <dd>{say(words)}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
