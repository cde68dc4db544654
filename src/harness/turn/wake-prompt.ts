import { randomBytes } from 'node:crypto'
import type { Delivery } from '../../wire/things.ts'

const STANDING = {
  operator: 'operator',
  manager: 'manager',
  peer: 'peer',
  system: 'system',
} as const

/** Ends a body where nobody can have guessed it. */
export const randomMarker = (): string => randomBytes(6).toString('hex')

/**
 * What the model reads of a message: who sent it and with what standing, told by the daemon, then the body between random markers.
 * It never begins with `/`, so no body can become a command of the engine.
 */
export function describeMessage(message: Delivery, marker = randomMarker()): string {
  const { id, from, standing, attempt, pending, body, replyTo } = message
  const again =
    attempt > 1 ? 'It was delivered before and may be partly done: look at what is there before you do it again.\n' : ''
  const answers = replyTo === null ? '' : `It answers message ${replyTo}.\n`
  const text = body.replaceAll('\0', '\\0')
  return `Message ${id} from ${from} (${STANDING[standing]}), attempt ${attempt}, ${pending} more waiting.\n${answers}${again}<<<${marker}\n${text}\n${marker}>>>`
}

/** The prompt that begins a turn. */
export const wakePrompt = (messages: readonly Delivery[], marker?: string): string =>
  messages.map((message) => describeMessage(message, marker)).join('\n\n')
