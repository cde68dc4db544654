import { z } from 'zod'
import type { Row } from '../../kit/sqlite.ts'
import { standingOf } from '../../wire/names.ts'
import type { Delivery, Message } from '../../wire/things.ts'
import { MessageState } from '../../wire/things.ts'
import type { Undecodable } from '../../wire/undecodable.ts'

const MessageRow = z.object({
  id: z.number().int(),
  sender: z.string(),
  recipient: z.string(),
  body: z.string(),
  sent_at: z.number(),
  root_id: z.number().int().nullable(),
  hops: z.number().int(),
  reply_to: z.number().int().nullable(),
  state: MessageState,
  attempt: z.number().int(),
  failures: z.number().int(),
  error: z.string().nullable(),
  done_at: z.number().nullable(),
})

/** Where messages are read from: a row without its body is shown as one that cannot be read. */
export const MESSAGES = 'messages LEFT JOIN bodies USING (id)'

/** The columns that `decodeMessage` reads. */
export const MESSAGE_COLUMNS =
  'id, sender, recipient, body, sent_at, root_id, hops, reply_to, state, attempt, failures, error, done_at'

/** Bodies are cut to so many characters where many messages are shown at once. */
export const PREVIEW_CHARACTERS = 1_000

/** The same, of the body only its beginning. */
export const PREVIEW_COLUMNS = MESSAGE_COLUMNS.replace('body', `substr(body, 1, ${PREVIEW_CHARACTERS}) AS body`)

/** Gives the message, or what is wrong with the row: a bad row is shown, never guessed at. */
export function decodeMessage(row: Row): Message | Undecodable {
  const parsed = MessageRow.safeParse(row)
  if (!parsed.success) return { table: 'messages', id: String(row.id), problem: z.prettifyError(parsed.error) }
  const { sender, recipient, sent_at, root_id, reply_to, done_at, ...same } = parsed.data
  return {
    ...same,
    from: sender,
    to: recipient,
    sentAt: sent_at,
    rootId: root_id ?? same.id,
    replyTo: reply_to,
    doneAt: done_at,
  }
}

export const isUndecodable = (decoded: Message | Undecodable): decoded is Undecodable => 'problem' in decoded

export const toDelivery = (message: Message, pending: number): Delivery => ({
  id: message.id,
  from: message.from,
  standing: standingOf(message.from),
  body: message.body,
  attempt: message.attempt,
  sentAt: message.sentAt,
  replyTo: message.replyTo,
  pending,
})
