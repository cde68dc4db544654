import { useState } from 'react'
import type { Tombstone } from '../../wire/housekeeping.ts'
import { useLive } from '../api/live.ts'
import { quietly, useDeed } from '../api/use-deed.ts'
import { useOp } from '../api/use-op.ts'
import { Badge, Count } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { FormDialog } from '../ui/dialog.tsx'
import { sizeText } from '../ui/figures.ts'
import { Panel } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Ago } from '../ui/time.tsx'
import { TypedName } from '../ui/typed-name.tsx'

/** What is left of destroyed agents. Not there when nothing is. */
export function KeptState() {
  const names = useLive(({ state }) => state?.agents.map(({ name }) => name).join())
  const query = useOp('tombstones', {}, { when: names })
  if (query.data?.tombstones.length === 0) return null
  return (
    <Panel title="Kept state" beside={query.data && <Count of={query.data.tombstones.length} />}>
      <QueryView query={query}>
        {({ tombstones }) => (
          <ul>
            {tombstones.map((tombstone) => (
              <TombstoneRow key={tombstone.name} tombstone={tombstone} />
            ))}
          </ul>
        )}
      </QueryView>
    </Panel>
  )
}

function TombstoneRow({ tombstone: { name, destroyedAt, bytes, hasLogin } }: { tombstone: Tombstone }) {
  const [isPurging, setPurging] = useState(false)
  const revive = useDeed('revive', `${name} is back`)
  const size = bytes === null ? 'of unknown size' : sizeText(bytes)
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2 last:border-0">
      <span className="font-semibold">{name}</span>
      <span className="text-dim">{size}</span>
      {hasLogin && <Badge title="It needs no login when it is revived">login kept</Badge>}
      {destroyedAt !== null && <Ago at={destroyedAt} />}
      <span className="ml-auto flex gap-2">
        <Button disabled={!revive.canRun} aria-label={`Revive ${name}`} onClick={() => quietly(revive.run({ name }))}>
          {revive.isBusy ? 'Reviving…' : 'Revive'}
        </Button>
        <Button look="danger" aria-label={`Purge ${name}…`} onClick={() => setPurging(true)}>
          Purge…
        </Button>
      </span>
      {isPurging && <PurgeDialog name={name} size={size} onClose={() => setPurging(false)} />}
    </li>
  )
}

function PurgeDialog({ name, size, onClose }: { name: string; size: string; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const purge = useDeed('purge', `Nothing is left of ${name}`)
  return (
    <FormDialog
      title={`Purge ${name}`}
      verb="Purge"
      look="danger"
      isReady={typed === name && purge.canRun}
      onSubmit={() => purge.run({ name, confirm: typed })}
      onClose={onClose}
    >
      <p>Its notes, login and repository ({size}) are removed for good.</p>
      <TypedName name={name} value={typed} onChange={setTyped} />
    </FormDialog>
  )
}
