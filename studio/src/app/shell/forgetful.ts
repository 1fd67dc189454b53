/**
 * Browsers write what stands in the fields of a page to the disk, to bring it back after a restart, and keep what was typed into them
 * to offer it again. That is a customer's, so it is asked for not to: every field belongs to a form that says so, also those that
 * React puts outside of any. Fields of the sign-in name what a password manager may fill in, and stay as they are.
 */
const FIELDS = 'input, select, textarea'
const ID = 'eh-forgetful'

/** From now on, for all that is or comes below `root`. Returns how to stop. */
export function forgetFields(root: HTMLElement): () => void {
  const form = document.createElement('form')
  form.id = ID
  form.hidden = true
  form.autocomplete = 'off'
  const stay = (event: Event): void => event.preventDefault() // Enter in a field sends nothing
  form.addEventListener('submit', stay)
  document.body.append(form)
  const tell = (element: Element): void => {
    for (const own of [element, ...element.querySelectorAll('form')]) if (own instanceof HTMLFormElement && !own.hasAttribute('autocomplete')) own.autocomplete = 'off'
    for (const field of [element, ...element.querySelectorAll(FIELDS)]) if (field.matches(FIELDS) && !(field as HTMLInputElement).form) field.setAttribute('form', ID)
  }
  const watch = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node instanceof Element) tell(node)
  })
  tell(root)
  watch.observe(root, { childList: true, subtree: true })
  return () => {
    watch.disconnect()
    form.remove()
  }
}
