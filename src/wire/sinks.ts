import { z } from 'zod'
import { SecretName } from './agent-config.ts'
import { Need } from './things.ts'

export const NeedKind = z.enum(Need.options.map(({ shape }) => shape.kind.value))
export type NeedKind = z.infer<typeof NeedKind>

const Url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })
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
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.union([z.string(), NamedSecret])).default({}),
  }),
])
export type Sink = z.infer<typeof Sink>

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 22:00')

/** Times of the host's time zone; `from` may be later than `to`. */
export const QuietHours = z.strictObject({ from: TimeOfDay, to: TimeOfDay })
export type QuietHours = z.infer<typeof QuietHours>
