import { createRoot } from 'react-dom/client'
import { App } from './app/shell/App'
import { forgetFields } from './app/shell/forgetful'
import { applyTheme, readTheme } from './ui/theme'
import './ui/tokens.css'
import './ui/base.css'
import './ui/page.css'

applyTheme(readTheme())
forgetFields(document.body) // dialogs stand beside the root
const root = document.getElementById('root')
if (root) createRoot(root).render(<App />)
