import { Ellipsis } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { Button } from './button.tsx'

export interface MenuEntry {
  readonly label: string
  readonly icon?: ReactNode
  readonly isDanger?: boolean
  readonly isDisabled?: boolean
  readonly run: () => void
}

export interface MenuProps {
  readonly label: string
  readonly entries: () => readonly MenuEntry[]
}

const load = () => import('./menu-popup.tsx')
const MenuPopup = lazy(() => load().then(({ MenuPopup }) => ({ default: MenuPopup })))

/** What else can be done. What it needs is fetched when somebody comes near: no page needs it to be seen. */
export function Menu({ label, entries }: MenuProps) {
  const [wasPressed, setPressed] = useState(false)
  const preload = () => void load().catch(() => {}) // Pressing it asks again.
  const trigger = (
    <Button
      look="quiet"
      className="px-2"
      aria-label={label}
      aria-haspopup="menu"
      title={label}
      onPointerEnter={preload}
      onFocus={preload}
      onClick={() => setPressed(true)}
    >
      <Ellipsis size={16} />
    </Button>
  )
  if (!wasPressed) return trigger
  return (
    <Suspense fallback={trigger}>
      <MenuPopup label={label} entries={entries} />
    </Suspense>
  )
}
