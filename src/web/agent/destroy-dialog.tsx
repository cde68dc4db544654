import { useState } from 'react'
import { useDeed } from '../api/use-deed.ts'
import { FormDialog } from '../ui/dialog.tsx'
import { TypedName } from '../ui/typed-name.tsx'

/** Removes an agent, once its name was typed. */
export function DestroyDialog({ agent, onClose }: { agent: string; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const [purge, setPurge] = useState(false)
  const destroy = useDeed('destroy', `${agent} is destroyed`)
  return (
    <FormDialog
      title={`Destroy ${agent}`}
      verb={purge ? 'Destroy and purge' : 'Destroy'}
      look="danger"
      isReady={typed === agent && destroy.canRun}
      onSubmit={() => destroy.run({ agent, purge })}
      onClose={onClose}
    >
      <p>
        Its container is removed. {purge ? 'Nothing of it is kept.' : 'Its notes, login and configuration are kept.'}
      </p>
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={purge} onChange={({ target }) => setPurge(target.checked)} />
        purge: remove notes, login and configuration for good
      </label>
      <TypedName name={agent} value={typed} onChange={setTyped} />
    </FormDialog>
  )
}
