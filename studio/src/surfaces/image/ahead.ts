/**
 * Pictures that are fetched before they are wanted. No cache keeps a customer's picture, so the element itself is handed over.
 */

const MOST = 6
const ready = new Map<string, HTMLImageElement>()

export function fetchAhead(url: string): void {
  if (ready.has(url)) return
  const image = new Image()
  image.decoding = 'async'
  image.src = url
  ready.set(url, image)
  // A failure is shown when the task opens, with words and a way out.
  image.decode().catch(() => ready.delete(url))
  for (const old of [...ready.keys()].slice(0, -MOST)) ready.delete(old)
}

/** The picture that was fetched ahead, or a new one that is on its way. */
export function pictureOf(url: string): HTMLImageElement {
  const found = ready.get(url)
  if (found) return found
  const image = new Image()
  image.decoding = 'async'
  image.src = url
  return image
}

/** Nothing of a customer is left in memory for whoever comes next. */
export function forgetAhead(): void {
  ready.clear()
}
