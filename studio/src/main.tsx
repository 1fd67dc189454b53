import { createRoot } from 'react-dom/client'
import { App } from './app/shell/App'
import { applyTheme, readTheme } from './ui/theme'
import './ui/tokens.css'
import './ui/base.css'
import './ui/page.css'

applyTheme(readTheme())
const root = document.getElementById('root')
if (root) createRoot(root).render(<App />)
