import { Hexagon, MessagesSquare, Rocket, Settings } from 'lucide-react'
import { Link, useLocation } from 'wouter'

const TABS = [
  ['/', 'Dashboard', Hexagon],
  ['/messages', 'Messages', MessagesSquare],
  ['/deploys', 'Deploys', Rocket],
  ['/settings', 'Settings', Settings],
] as const

/** The pages, for a thumb. */
export function BottomTabs() {
  const [location] = useLocation()
  return (
    <nav aria-label="Tabs" className="grid h-11 shrink-0 grid-cols-4 border-t border-line bg-panel sm:hidden">
      {TABS.map(([href, name, Icon]) => (
        <Link
          key={href}
          href={href}
          aria-current={location === href ? 'page' : undefined}
          className="flex flex-col items-center justify-center text-xs text-dim aria-[current]:text-accent"
        >
          <Icon size={16} aria-hidden="true" /> {name}
        </Link>
      ))}
    </nav>
  )
}
