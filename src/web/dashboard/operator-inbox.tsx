import { useMemo } from 'react'
import { OPERATOR } from '../../wire/names.ts'
import { mergeMessages } from '../api/kept-messages.ts'
import { useLive } from '../api/live.ts'
import { useOp } from '../api/use-op.ts'
import { MessageRow } from '../messages/message-row.tsx'
import { Count } from '../ui/badge.tsx'
import { Empty, Panel } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Unreadable } from '../ui/unreadable.tsx'

const SHOWN = 50

/** What agents have written to the operator, newest first. */
export function OperatorInbox() {
  const query = useOp('messages', { agent: OPERATOR, limit: 200 })
  const newer = useLive(({ messages }) => messages)
  const inbox = useMemo(() => {
    const all = mergeMessages(query.data?.messages ?? [], newer)
    return all.filter(({ to }) => to === OPERATOR).toReversed()
  }, [query.data, newer])
  return (
    <Panel title="Operator inbox" beside={<Count of={inbox.length} />}>
      <QueryView query={query}>
        {({ errors }) => (
          <>
            <Unreadable rows={errors} />
            {inbox.length === 0 && <Empty>No agent has written to you.</Empty>}
            <ul className="max-h-96 overflow-y-auto">
              {inbox.slice(0, SHOWN).map((message) => (
                <MessageRow key={message.id} message={message} />
              ))}
            </ul>
          </>
        )}
      </QueryView>
    </Panel>
  )
}
