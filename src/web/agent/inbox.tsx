import { useMemo } from 'react'
import { mergeMessages } from '../api/kept-messages.ts'
import { useLive } from '../api/live.ts'
import { useOp } from '../api/use-op.ts'
import { MessageRow } from '../messages/message-row.tsx'
import { Empty } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Unreadable } from '../ui/unreadable.tsx'

/** What an agent was told and what it said; what waits for it comes first. */
export function Inbox({ agent }: { agent: string }) {
  const query = useOp('messages', { agent, limit: 200 })
  const newer = useLive(({ messages }) => messages)
  const [waiting, past] = useMemo(() => {
    const all = mergeMessages(query.data?.messages ?? [], newer).filter(
      ({ from, to }) => from === agent || to === agent,
    )
    const isWaiting = ({ to, state }: (typeof all)[number]) =>
      to === agent && (state === 'queued' || state === 'leased')
    return [all.filter(isWaiting), all.filter((message) => !isWaiting(message)).toReversed()]
  }, [query.data, newer, agent])
  return (
    <QueryView query={query}>
      {({ errors }) => (
        <>
          <Unreadable rows={errors} />
          {waiting.length + past.length === 0 && <Empty>Nobody has written to {agent}, nor it to anybody.</Empty>}
          {waiting.length > 0 && <h3 className="px-3 pt-2 text-dim">Waiting or being read</h3>}
          <ul>
            {waiting.map((message) => (
              <MessageRow key={message.id} message={message} />
            ))}
          </ul>
          {past.length > 0 && <h3 className="px-3 pt-2 text-dim">Before</h3>}
          <ul>
            {past.map((message) => (
              <MessageRow key={message.id} message={message} />
            ))}
          </ul>
        </>
      )}
    </QueryView>
  )
}
