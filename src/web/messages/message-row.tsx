import { useState } from 'react'
import { Link } from 'wouter'
import { OPERATOR } from '../../wire/names.ts'
import type { Message } from '../../wire/things.ts'
import { quietly, useDeed } from '../api/use-deed.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { classNames } from '../ui/class-names.ts'
import { Copy } from '../ui/copy.tsx'
import { Ago } from '../ui/time.tsx'
import { visible, visibleLine } from '../ui/visible.ts'
import { Reply } from './reply.tsx'

const TONES: Readonly<Record<Message['state'], Tone>> = { queued: 'info', leased: 'think', done: 'faint', dead: 'err' }
/** Characters of a message that is not opened. */
const HEADLINE = 160

/** One message: its beginning, all of it when it is opened. */
export function MessageRow({ message, isOpenAtFirst = false }: { message: Message; isOpenAtFirst?: boolean }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst)
  const { id, from, to, body, state, sentAt, error, attempt } = message
  return (
    <li className="border-b border-line px-3 py-2 last:border-0">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="flex w-full cursor-pointer flex-wrap items-baseline gap-x-2 text-left"
      >
        <span className="font-semibold text-info">{from}</span>
        <span className="sr-only">to</span>
        <span aria-hidden="true">→</span>
        <span className={classNames('font-semibold', to === OPERATOR && 'text-accent')}>{to}</span>
        {state !== 'done' && <Badge tone={TONES[state]}>{attempt > 1 ? `${state}, attempt ${attempt}` : state}</Badge>}
        <span className="ml-auto">
          <Ago at={sentAt} />
        </span>
        {!isOpen && <span className="w-full break-words text-dim">{visibleLine(body, HEADLINE)}</span>}
      </button>
      {error !== null && <p className="break-words text-err">{visibleLine(error, HEADLINE)}</p>}
      {isOpen && (
        <>
          <pre className="my-1 max-h-96 overflow-auto font-sans break-words whitespace-pre-wrap text-dim">
            {visible(body)}
          </pre>
          <div className="flex flex-wrap items-center gap-2">
            <Link href={`/messages/${id}`} className="font-mono text-xs text-faint hover:text-fg">
              #{id}
            </Link>
            <Copy text={body} label="Copy the message" />
            {state === 'dead' && <DeadActions id={id} />}
            {from !== OPERATOR && from !== 'system' && <Reply message={message} />}
          </div>
        </>
      )}
    </li>
  )
}

/** What can be done with a message that nobody took. */
export function DeadActions({ id }: { id: number }) {
  const requeue = useDeed('requeue', `Message ${id} is delivered again`)
  const drop = useDeed('drop', `Message ${id} is off the list`)
  return (
    <>
      <Button disabled={!requeue.canRun} onClick={() => quietly(requeue.run({ id }))}>
        Requeue
      </Button>
      <Button look="danger" disabled={!drop.canRun} onClick={() => quietly(drop.run({ id }))}>
        Drop
      </Button>
    </>
  )
}
