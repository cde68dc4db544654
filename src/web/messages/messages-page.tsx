import { type FormEvent, useMemo, useState } from 'react'
import { useSearchParams } from 'wouter'
import { mergeMessages } from '../api/kept-messages.ts'
import { useLive } from '../api/live.ts'
import { useDeed } from '../api/use-deed.ts'
import { useOp } from '../api/use-op.ts'
import { useAttention } from '../frame/attention.ts'
import { Count } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Filter } from '../ui/filter.tsx'
import { Empty, Panel } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Unreadable } from '../ui/unreadable.tsx'
import { matches } from './message-filter.ts'
import { MessageRow } from './message-row.tsx'
import { Traffic } from './traffic.tsx'

const MOST = 1000

/** All that was said, one message of it opened where the address names it. */
export function MessagesPage({ id }: { id?: number }) {
  useAttention('Messages')
  const [params, setParams] = useSearchParams()
  const filter = params.get('q') ?? ''
  const setFilter = (text: string) => setParams(text === '' ? {} : { q: text }, { replace: true })
  const query = useOp('messages', { limit: MOST })
  const newer = useLive(({ messages }) => messages)
  const all = useMemo(() => mergeMessages(query.data?.messages ?? [], newer, MOST), [query.data, newer])
  const found = useMemo(() => all.filter((message) => matches(message, filter)).toReversed(), [all, filter])
  return (
    <main className="mx-auto flex w-full max-w-6xl flex-1 flex-col gap-3 p-3">
      <h1 className="sr-only">Messages</h1>
      {id !== undefined && <OneMessage id={id} />}
      <Broadcast />
      <Traffic messages={found} />
      <Panel title="Messages" beside={<Count of={found.length} />}>
        <div className="border-b border-line p-2">
          <Filter
            label="Filter messages"
            placeholder="Filter: text, from:bob, to:operator, is:dead, #12"
            value={filter}
            onChange={setFilter}
            className="w-full"
          />
        </div>
        <QueryView query={query}>
          {({ errors }) => (
            <>
              <Unreadable rows={errors} />
              {found.length === 0 && <Empty>{all.length === 0 ? 'Nothing was said yet.' : 'None matches.'}</Empty>}
              <ul>
                {found.map((message) => (
                  <MessageRow key={message.id} message={message} />
                ))}
              </ul>
            </>
          )}
        </QueryView>
      </Panel>
    </main>
  )
}

/** The message of the address, as it is now. */
function OneMessage({ id }: { id: number }) {
  const live = useLive(({ messages }) => messages.find((message) => message.id === id))
  const query = useOp('message', { id }, { when: live && `${live.state} ${live.attempt}` })
  return (
    <Panel title={`Message #${id}`}>
      <QueryView query={query}>
        {({ message }) => (
          <ul>
            <MessageRow message={message} isOpenAtFirst />
          </ul>
        )}
      </QueryView>
    </Panel>
  )
}

/** Writes to one, or to every agent. */
function Broadcast() {
  const agents = useLive(({ state }) => state?.agents) ?? []
  const [to, setTo] = useState('manager')
  const [body, setBody] = useState('')
  const send = useDeed('send', to === '*' ? 'Sent to all' : `Sent to ${to}`)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    // Why it fails is shown; what was typed stays.
    send.run({ to, body }).then(
      () => setBody(''),
      () => {},
    )
  }
  return (
    <form onSubmit={submit} className="flex flex-wrap gap-2">
      <select aria-label="To" value={to} onChange={({ target }) => setTo(target.value)}>
        {agents.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
        <option value="*">everybody</option>
      </select>
      <textarea
        aria-label="Message"
        rows={1}
        value={body}
        onChange={({ target }) => setBody(target.value)}
        className="field-sizing-content max-h-60 min-w-40 flex-1 resize-none"
      />
      <Button type="submit" look="main" disabled={!send.canRun || body.trim() === ''}>
        Send
      </Button>
    </form>
  )
}
