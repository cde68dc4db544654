import { Menu as Base } from '@base-ui/react/menu'
import { Ellipsis } from 'lucide-react'
import type { ReactNode } from 'react'
import { buttonLook } from './button.tsx'
import { classNames } from './class-names.ts'

export interface MenuEntry {
  readonly label: string
  readonly icon?: ReactNode
  readonly isDanger?: boolean
  readonly isDisabled?: boolean
  readonly run: () => void
}

/** What else can be done. Entries are made when it opens. */
export const Menu = ({ label, entries }: { label: string; entries: () => readonly MenuEntry[] }) => (
  <Base.Root>
    <Base.Trigger aria-label={label} title={label} className={buttonLook('quiet', 'px-2')}>
      <Ellipsis size={16} />
    </Base.Trigger>
    <Base.Portal>
      <Base.Positioner sideOffset={4} align="end" className="z-40">
        <Base.Popup className="min-w-44 rounded-md border border-line bg-panel py-1 shadow-xl">
          <Entries entries={entries} />
        </Base.Popup>
      </Base.Positioner>
    </Base.Portal>
  </Base.Root>
)

const Entries = ({ entries }: { entries: () => readonly MenuEntry[] }) =>
  entries().map(({ label, icon, isDanger, isDisabled, run }) => (
    <Base.Item
      key={label}
      disabled={isDisabled}
      onClick={run}
      className={classNames(
        'flex cursor-pointer items-center gap-2 px-3 py-1.5 outline-none data-highlighted:bg-raise',
        'data-disabled:cursor-not-allowed data-disabled:opacity-50',
        isDanger && 'text-err',
      )}
    >
      {icon}
      {label}
    </Base.Item>
  ))
