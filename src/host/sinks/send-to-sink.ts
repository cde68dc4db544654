import { errorText, HiveError } from '../../wire/errors.ts'
import { HEADER_VALUE, type Sink } from '../../wire/sinks.ts'
import type { Notification } from './notification.ts'

const TIMEOUT_MS = 10_000
/** ntfy makes a file of what is longer than 4 KiB. */
const NTFY_BYTES = 4000

export interface SendOptions {
  /** The value of a secret that was set. */
  readonly secret: (name: string) => string | undefined
  readonly signal: AbortSignal
}

/** Names a sink without what may be secret in its address. */
export const nameOfSink = ({ kind, url }: Sink): string => `${kind} ${new URL(url).host}`

/**
 * Tells one sink. Throws `unavailable` when it cannot be reached within 10 s or does not take it, `bad_input` when a secret
 * that it needs is not set, or cannot stand in a header. No error has the value of a secret in it.
 */
export async function sendToSink(sink: Sink, notification: Notification, { secret, signal }: SendOptions) {
  const name = nameOfSink(sink)
  const request = requestOf(sink, notification, secret)
  let response: Response
  try {
    response = await fetch(request.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...request.headers },
      body: JSON.stringify(request.body),
      // A secret is for the address that the operator wrote.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await response.body?.cancel()
  } catch (error) {
    const { cause } = error as Error
    // Not the network but the request itself: its text, and so the log, would quote the header or the address.
    if (error instanceof TypeError && cause === undefined) {
      throw new HiveError('bad_input', `the request for ${name} cannot be made`, {
        hint: 'look at its url and headers in the settings',
      })
    }
    const why = cause ?? error
    throw new HiveError('unavailable', `${name} cannot be reached: ${errorText(why)}`, { cause: error })
  }
  if (!response.ok) throw new HiveError('unavailable', `${name} answered ${response.status}`)
}

interface SinkRequest {
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: unknown
}

function requestOf(sink: Sink, notification: Notification, secret: SendOptions['secret']): SinkRequest {
  const secretOf = ({ secret: name }: { secret: string }): string => {
    const value = secret(name)
    const hint = `hive secret set ${name}`
    if (value === undefined) throw new HiveError('bad_input', `the secret ${name} is not set`, { hint })
    if (HEADER_VALUE.test(value)) return value
    throw new HiveError('bad_input', `the secret ${name} has a line break or a character that no header can hold`, {
      hint,
    })
  }
  const { title, text, isUrgent, kinds, keys, link } = notification
  if (sink.kind === 'webhook') {
    const headers = Object.entries(sink.headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : secretOf(value),
    ])
    const body = { title, text, urgent: isUrgent, kinds, keys, link: link ?? null }
    return { url: sink.url, headers: Object.fromEntries(headers), body }
  }
  // As JSON, since a header could not hold every title: it goes to the server, and names the topic.
  const url = new URL(sink.url)
  const at = url.pathname.replace(/\/$/, '').lastIndexOf('/')
  const topic = decodeURIComponent(url.pathname.slice(at + 1).replace(/\/$/, ''))
  const body = {
    topic,
    title,
    message: cutBytes(text, NTFY_BYTES) || title,
    tags: kinds,
    priority: isUrgent ? 5 : sink.priority,
    ...(link && { click: link }),
  }
  const headers: Record<string, string> = sink.token ? { Authorization: `Bearer ${secretOf(sink.token)}` } : {}
  return { url: new URL(url.pathname.slice(0, at + 1), url.origin).href, headers, body }
}

/** At most so many bytes of UTF-8, without half a character. */
function cutBytes(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes))
  return text.slice(0, read)
}
