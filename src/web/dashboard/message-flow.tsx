import { useMemo, useState } from 'react'
import { useLive } from '../api/live.ts'
import { matches } from '../messages/message-filter.ts'
import { MessageRow } from '../messages/message-row.tsx'
import { Count } from '../ui/badge.tsx'
import { LinkButton } from '../ui/button.tsx'
import { Filter } from '../ui/filter.tsx'
import { Empty, Panel } from '../ui/panel.tsx'

const SHOWN = 60

/** What is said among all, newest first. */
export function MessageFlow() {
  const messages = useLive((live) => live.messages)
  const [filter, setFilter] = useState('')
  const found = useMemo(() => messages.filter((message) => matches(message, filter)).toReversed(), [messages, filter])
  return (
    <Panel
      title="Message flow"
      beside={<Count of={found.length} />}
      actions={
        <LinkButton look="quiet" href="/messages">
          All
        </LinkButton>
      }
    >
      <div className="border-b border-line p-2">
        <Filter
          label="Filter messages"
          placeholder="Filter: text, from:bob, to:operator"
          value={filter}
          onChange={setFilter}
          className="w-full"
        />
      </div>
      {found.length === 0 && (
        <Empty>
          {messages.length === 0 ? 'Nothing was said yet. Write to an agent on its page, or with ' : 'None matches. '}
          {messages.length === 0 && <code className="font-mono">hive send manager …</code>}
        </Empty>
      )}
      <ul className="max-h-[75dvh] overflow-y-auto">
        {found.slice(0, SHOWN).map((message) => (
          <MessageRow key={message.id} message={message} />
        ))}
      </ul>
    </Panel>
  )
}
