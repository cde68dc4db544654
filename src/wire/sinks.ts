import { z } from 'zod'
import { SecretName } from './agent-config.ts'
import { Need } from './things.ts'

export const NeedKind = z.enum(Need.options.map(({ shape }) => shape.kind.value))
export type NeedKind = z.infer<typeof NeedKind>

/** A part of it that is secret would be shown wherever the sink is named. */
const Url = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL', abort: true })
  .refine(
    (text) => !hasUserinfo(text),
    'must have no user or password in it: name a secret in token (ntfy) or headers (webhook)',
  )

function hasUserinfo(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.username !== '' || url.password !== '')
}

/** What HTTP lets a header hold, in one line. */
export const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const HeaderValue = z
  .string()
  .regex(HEADER_VALUE, 'must be one line without control characters or letters beyond Latin-1')
const NamedSecret = z.strictObject({ /** Set by `hive secret set`. */ secret: SecretName })

/** Where the operator is told of what waits, away from the machine. */
export const Sink = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ntfy'),
    /** Of the topic: `https://ntfy.sh/my-topic`. */
    url: Url,
    token: NamedSecret.optional(),
    /** 1 to 5; urgent kinds have 5. */
    priority: z.number().int().min(1).max(5).default(3),
  }),
  z.strictObject({
    kind: z.literal('webhook'),
    url: Url,
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.union([HeaderValue, NamedSecret])).default({}),
  }),
])
export type Sink = z.infer<typeof Sink>

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 22:00')

/** Times of the host's time zone; `from` may be later than `to`. */
export const QuietHours = z.strictObject({ from: TimeOfDay, to: TimeOfDay })
export type QuietHours = z.infer<typeof QuietHours>
