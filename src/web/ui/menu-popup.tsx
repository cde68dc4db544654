import { Menu as Base } from '@base-ui/react/menu'
import { Ellipsis } from 'lucide-react'
import { buttonLook } from './button.tsx'
import { classNames } from './class-names.ts'
import type { MenuEntry, MenuProps } from './menu.tsx'

/** A menu that is open already. */
export const MenuPopup = ({ label, entries }: MenuProps) => (
  <Base.Root defaultOpen>
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

/** Made while it is open only. */
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
