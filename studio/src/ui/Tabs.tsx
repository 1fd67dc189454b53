import { Tab, TabList, TabPanel, TabProvider } from '@ariakit/react/tab'
import { useEffect, useRef, type ReactNode } from 'react'
import { Link } from './router'
import './Tabs.css'

export type TabItem = { id: string; label: string; count?: number | undefined }

/** Tabs inside a page: the panels are parts of it, the address stays. */
export function Tabs({ label, items, value, onValue, children }: {
  label: string
  items: readonly TabItem[]
  value: string
  onValue: (id: string) => void
  children: (id: string) => ReactNode
}) {
  return (
    <TabProvider selectedId={value} setSelectedId={(id) => id && onValue(id)}>
      <TabList className="eh-tabs" aria-label={label}>
        {items.map((item) => (
          <Tab key={item.id} id={item.id} className="eh-tab">
            {item.label}
            {item.count ? <span className="eh-tab-count">{item.count}</span> : null}
          </Tab>
        ))}
      </TabList>
      {items.map((item) => (
        <TabPanel key={item.id} tabId={item.id} className="eh-tabpanel">
          {item.id === value ? children(item.id) : null}
        </TabPanel>
      ))}
    </TabProvider>
  )
}

/** Tabs that are places: each has an address of its own. */
export function LinkTabs({ label, items, value }: { label: string; items: readonly (TabItem & { to: string })[]; value: string }) {
  const bar = useRef<HTMLElement>(null)
  // On a narrow screen the row scrolls: the present tab must be in sight.
  useEffect(() => {
    // In braces: newer browsers return a promise here, which is no cleanup.
    bar.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [value])
  return (
    <nav ref={bar} className="eh-tabs" aria-label={label}>
      {items.map((item) => (
        <Link key={item.id} to={item.to} className="eh-tab" {...(item.id === value ? { 'aria-current': 'page' as const } : {})}>
          {item.label}
          {item.count ? <span className="eh-tab-count">{item.count}</span> : null}
        </Link>
      ))}
    </nav>
  )
}
