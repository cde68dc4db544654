import './api/no-eval.ts'
import './styles/theme.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { takeToken } from './api/token.ts'
import { App } from './app.tsx'

const token = takeToken({
  hash: location.hash,
  clearHash: () => history.replaceState(null, '', location.pathname + location.search),
  storage: localStorage,
})

const place = document.getElementById('app')
if (!place) throw new Error('the page has no place for the app')
createRoot(place).render(
  <StrictMode>
    <App token={token} />
  </StrictMode>,
)

// The link of `hive open` in a tab that is open already changes the fragment only.
addEventListener('hashchange', () => {
  if (/^#[\w-]{43}$/.test(location.hash)) location.reload()
})
