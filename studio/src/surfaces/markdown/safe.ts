/** Which addresses may be used. Everything that is not surely harmless is refused and shown as text. */

/** Links: http and https only, absolute. Null when it is not one. */
export function safeLink(href: string): string | null {
  // The URL parser drops tabs and line ends inside a scheme ("java\nscript:"), so look at what it understood, not at the text.
  if (!/^https?:\/\//i.test(href)) return null
  try {
    const url = new URL(href)
    return (url.protocol === 'https:' || url.protocol === 'http:') && url.hostname !== '' ? url.href : null
  } catch {
    return null
  }
}

/** Pictures: only from our own media door, on our own port (the other host name of the same server). Null when it is not ours. */
export function safeImage(src: string, page: { readonly origin: string; readonly port: string } = location): string | null {
  try {
    const url = new URL(src, page.origin)
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return null
    if (!url.pathname.startsWith('/media/')) return null
    if (url.origin === page.origin) return url.href
    const loopback = url.hostname === '127.0.0.1' || url.hostname === 'localhost'
    return loopback && url.port === page.port ? url.href : null
  } catch {
    return null
  }
}
