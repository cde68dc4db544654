import { useState } from 'react'
import { Link } from 'wouter'
import type { Permission } from '../../wire/permissions.ts'
import { quietly, useDeed } from '../api/use-deed.ts'
import { useOp } from '../api/use-op.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { FormDialog } from '../ui/dialog.tsx'
import { Problem } from '../ui/query-view.tsx'
import { Ago, Until } from '../ui/time.tsx'
import { visible, visibleLine } from '../ui/visible.ts'
import { inputText } from './permission-input.ts'

/** A use of a tool that an agent waits for: all of it is shown before it can be permitted. */
export function PermissionNeed({ permission: brief }: { permission: Permission }) {
  const { id, agent, tool, description, pattern, askedAt, deadlineAt } = brief
  const isCut = brief.input.endsWith('…')
  const query = useOp('permission', { id }, { isOn: isCut })
  const input = isCut ? query.data?.permission.input : brief.input
  const permit = useDeed('permit', `${agent} may use ${tool} this once`)
  const [asking, setAsking] = useState<'refuse' | 'always'>()
  return (
    <div className="flex flex-col gap-2 px-3 py-2">
      <p className="break-words">
        <Badge tone="accent">permission</Badge>{' '}
        <Link href={`/a/${agent}`} className="font-semibold hover:text-accent">
          {agent}
        </Link>{' '}
        wants to use <span className="font-semibold">{visibleLine(tool, 100)}</span>
        {description !== null && <span className="text-dim">: {visible(description)}</span>} <Ago at={askedAt} />
        <span className="text-xs text-accent">
          {' '}
          refused <Until at={deadlineAt} />
        </span>
      </p>
      {query.error && <Problem error={query.error} retry={() => void query.refetch()} />}
      <pre className="max-h-64 overflow-auto rounded bg-raise p-2 font-mono text-xs break-words whitespace-pre-wrap">
        {input === undefined ? 'Loading…' : visible(inputText(input))}
      </pre>
      <div className="flex flex-wrap justify-end gap-2">
        {pattern !== null && <Button onClick={() => setAsking('always')}>Propose for good…</Button>}
        <Button look="danger" onClick={() => setAsking('refuse')}>
          Refuse…
        </Button>
        <Button
          look="main"
          disabled={!permit.canRun || input === undefined}
          onClick={() => quietly(permit.run({ id }))}
        >
          Permit once
        </Button>
      </div>
      {asking === 'refuse' && <RefuseDialog id={id} agent={agent} onClose={() => setAsking(undefined)} />}
      {asking === 'always' && (
        <ProposeDialog id={id} agent={agent} pattern={pattern ?? ''} onClose={() => setAsking(undefined)} />
      )}
    </div>
  )
}

function RefuseDialog({ id, agent, onClose }: { id: number; agent: string; onClose: () => void }) {
  const [message, setMessage] = useState('')
  const refuse = useDeed('refuse', `${agent} goes on without`)
  return (
    <FormDialog
      title="Refuse it"
      verb="Refuse"
      look="danger"
      isReady={refuse.canRun}
      onSubmit={() => refuse.run({ id, message })}
      onClose={onClose}
    >
      <label className="flex flex-col gap-1">
        What {agent} is told, if anything
        <textarea rows={3} maxLength={2000} value={message} onChange={({ target }) => setMessage(target.value)} />
      </label>
    </FormDialog>
  )
}

function ProposeDialog({
  id,
  agent,
  pattern,
  onClose,
}: {
  id: number
  agent: string
  pattern: string
  onClose: () => void
}) {
  const [text, setText] = useState(pattern)
  const propose = useDeed('propose_permission', 'The change of its configuration waits for your approval')
  return (
    <FormDialog
      title="Propose to allow the like for good"
      verb="Propose"
      isReady={text.trim() !== '' && propose.canRun}
      onSubmit={() => propose.run({ id, pattern: text.trim() })}
      onClose={onClose}
    >
      <p>
        It becomes a change of the configuration of {agent}, which waits for your approval like any other. This use is
        decided by itself.
      </p>
      <label className="flex flex-col gap-1">
        Commands of <code className="font-mono">bash</code>
        <input
          maxLength={256}
          spellCheck={false}
          value={text}
          onChange={({ target }) => setText(target.value)}
          className="font-mono"
        />
      </label>
    </FormDialog>
  )
}
