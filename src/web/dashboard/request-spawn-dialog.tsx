import { useState } from 'react'
import { SubAgentName } from '../../wire/names.ts'
import { useDeed } from '../api/use-deed.ts'
import { FormDialog } from '../ui/dialog.tsx'

/** Queues a request for a new agent; it is an approval like any other. */
export function RequestSpawnDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [reason, setReason] = useState('')
  const request = useDeed('request_spawn', `The request for ${name} waits for your approval`)
  const problem = name === '' ? undefined : SubAgentName.safeParse(name).error?.issues[0]?.message
  return (
    <FormDialog
      title="Request a new agent"
      verb="Request"
      isReady={name !== '' && problem === undefined && request.canRun}
      onSubmit={() => request.run({ name, reason: reason || undefined })}
      onClose={onClose}
    >
      <label className="flex flex-col gap-1">
        Name
        <input
          autoComplete="off"
          spellCheck={false}
          aria-describedby="name-problem"
          aria-invalid={problem !== undefined}
          value={name}
          onChange={({ target }) => setName(target.value.trim())}
        />
        <span id="name-problem" className="text-xs text-err">
          {problem}
        </span>
      </label>
      <label className="flex flex-col gap-1">
        What for
        <textarea rows={3} maxLength={2000} value={reason} onChange={({ target }) => setReason(target.value)} />
      </label>
    </FormDialog>
  )
}
