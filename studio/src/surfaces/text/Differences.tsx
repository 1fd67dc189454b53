/** How this answer and another differ, place by place. */
import { Button } from '../../ui/Button'
import type { Difference } from './compare'
import type { TextController } from './controller'
import { say } from './phrases'

export function Differences({ controller }: { readonly controller: TextController }) {
  const { other, differences } = controller.plan
  if (!other) return null
  return (
    <section aria-label={say('text.differ', { who: other.who })}>
      <h2 className="eh-tp-head">
        {say('text.differ', { who: other.who })} <span className="eh-tp-count">{differences.length}</span>
      </h2>
      <p className="eh-tp-note">{differences.length ? say('text.differ.legend', { who: other.who }) : say('text.differ.none')}</p>
      <ul className="eh-tp-list">
        {differences.map((one) => (
          <li key={`${one.mine?.id}:${one.theirs?.id}`} className="eh-tp-difference">
            <button type="button" className="eh-tp-span eh-tp-two" onClick={() => controller.goTo(one)}>
              <span className="eh-tp-text" dir="auto">
                {controller.index.slice(one.start, Math.min(one.end, one.start + 60))}
              </span>
              <span className="eh-tp-class">{wordsOf(one, other.who, controller)}</span>
            </button>
            {controller.readOnly ? null : (
              <Button small onClick={() => controller.takeOver(one)} aria-label={say('text.differ.take.name', { who: other.who, text: controller.index.slice(one.start, one.end) })}>
                {say('text.differ.take')}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function wordsOf(one: Difference, who: string, controller: TextController): string {
  switch (one.how) {
    case 'mine':
      return say('text.differ.mine', { name: one.mine.class })
    case 'theirs':
      return say('text.differ.theirs', { name: one.theirs.class, who })
    case 'class':
      return say('text.differ.class', { mine: one.mine.class, theirs: one.theirs.class })
    case 'attributes':
      return say('text.differ.attributes', { name: one.mine.class })
    case 'ends':
      return say('text.differ.ends', { name: one.theirs.class, text: controller.index.slice(one.theirs.start, Math.min(one.theirs.end, one.theirs.start + 60)) })
  }
}
