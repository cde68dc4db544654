import { type FormEvent, useState } from 'react'
import type { Message } from '../../wire/things.ts'
import { useDeed } from '../api/use-deed.ts'
import { Button } from '../ui/button.tsx'

/** Answers a message as the operator. */
export function Reply({ message: { id, from } }: { message: Pick<Message, 'id' | 'from'> }) {
  const [body, setBody] = useState<string>()
  const send = useDeed('send', `Sent to ${from}`)
  if (body === undefined) {
    return (
      <Button look="quiet" onClick={() => setBody('')}>
        Reply
      </Button>
    )
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    // Why it fails is shown; what was typed stays.
    send.run({ to: from, body, reply_to: id }).then(
      () => setBody(undefined),
      () => {},
    )
  }
  return (
    <form onSubmit={submit} className="flex w-full gap-2">
      <input
        // Whoever asked to reply wants to type.
        ref={(input) => input?.focus()}
        aria-label={`Reply to ${from}`}
        value={body}
        onChange={({ target }) => setBody(target.value)}
        className="min-w-0 flex-1"
      />
      <Button type="submit" look="main" disabled={!send.canRun || body.trim() === ''}>
        Send
      </Button>
    </form>
  )
}
