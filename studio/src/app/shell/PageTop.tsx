import { AccountMenu } from './AccountMenu'
import { Brand } from './Brand'
import './PageTop.css'

/** The bar over a page that stands alone: whose house this is, which page, and the way out. */
export function PageTop({ title }: { title: string }) {
  return (
    <header className="eh-page-top">
      <Brand small />
      <span className="eh-muted">{title}</span>
      <span className="eh-grow" />
      <AccountMenu compact />
    </header>
  )
}
