import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import { useMemo } from 'react'
import { useLocation } from 'wouter'
import { useLive } from '../api/live.ts'
import { type PaletteGroup, type PaletteItem, paletteGroups } from './palette-items.ts'
import { THEMES, usePreferences } from './preferences.tsx'

/** Goes anywhere by typing a part of its name. */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [, navigate] = useLocation()
  const { change } = usePreferences()
  const state = useLive((live) => live.state)
  const groups = useMemo(() => [...(state ? paletteGroups(state) : []), ACTIONS], [state])
  const run = ({ value, link }: PaletteItem) => {
    onClose()
    const theme = THEMES.find((name) => value === `theme:${name}`)
    if (theme) change({ theme })
    else if (value === 'keys') onHelp()
    else navigate(link)
  }
  return (
    <Dialog.Root open onOpenChange={(open) => open || onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/60" />
        <Dialog.Popup
          aria-label="Search"
          className="fixed top-24 left-1/2 z-40 flex max-h-[70dvh] w-[min(35rem,calc(100vw-1.5rem))] -translate-x-1/2 flex-col overflow-hidden rounded-lg border border-line bg-panel shadow-xl"
        >
          <Autocomplete.Root open inline items={groups} autoHighlight="always" keepHighlight>
            <Autocomplete.Input
              aria-label="Search for a page or an action"
              placeholder="Search for a page or an action"
              className="m-2 border-0 bg-panel text-base outline-none"
            />
            <Autocomplete.Empty className="px-4 py-3 text-dim empty:hidden">Nothing is called so.</Autocomplete.Empty>
            <Autocomplete.List className="overflow-y-auto border-t border-line py-1">
              {(group: PaletteGroup) => <Group key={group.value} group={group} onRun={run} />}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

const Group = ({ group, onRun }: { group: PaletteGroup; onRun: (item: PaletteItem) => void }) => (
  <Autocomplete.Group items={group.items}>
    <Autocomplete.GroupLabel className="px-4 py-1 text-xs text-dim">{group.value}</Autocomplete.GroupLabel>
    <Autocomplete.Collection>
      {(item: PaletteItem) => (
        <Autocomplete.Item
          key={item.value}
          value={item}
          onClick={() => onRun(item)}
          className="flex cursor-pointer justify-between gap-3 px-4 py-1.5 data-highlighted:bg-raise"
        >
          {item.label}
          <span className="font-mono text-xs text-faint">{item.hint}</span>
        </Autocomplete.Item>
      )}
    </Autocomplete.Collection>
  </Autocomplete.Group>
)

const ACTIONS: PaletteGroup = {
  value: 'Do',
  items: [
    ...THEMES.map((name) => ({ value: `theme:${name}`, label: `Theme ${name}`, hint: '', link: '' })),
    { value: 'keys', label: 'Show the keys', hint: '?', link: '' },
  ],
}
