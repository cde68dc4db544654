import { hostname } from 'node:os'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { asHiveError, callHandler, describeInputError } from '../../kit/op-server.ts'
import { ApprovalId, CommitId, type Diff } from '../../wire/approvals.ts'
import { HiveError } from '../../wire/errors.ts'
import { parsePositions } from '../../wire/frames.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { type Handlers, MAX_LINE_BYTES } from '../../wire/op.ts'
import { Topics } from '../../wire/stream.ts'
import type { HiveFeed } from './hive-feed.ts'
import { STATUS_OF_ERROR } from './http-status.ts'
import { originalState } from './original-state.ts'
import type { Streams } from './streams.ts'

export type Env = { Bindings: HttpBindings }

export interface ApiOptions {
  readonly handlers: Handlers<typeof hostOps>
  readonly feed: HiveFeed
  readonly streams: Streams
  /** Throws `not_found`. */
  readonly diff: (id: number, base: string, sha: string) => Promise<Diff>
  /** `ok`, or in a word what is wrong. */
  readonly health: () => string
  readonly onInternalError: (error: unknown, op: string) => void
}

/** What the dashboard's port answers beside the app: the gate has let the request in. */
export function createApi({ handlers, feed, streams, diff, health, onInternalError }: ApiOptions): Hono<Env> {
  const api = createRoutes(onInternalError)

  api.post('/api/op/:name', async (context) => {
    const output = await callOp(handlers, context, context.req.param('name'), await readJson(context))
    return context.json(output as object)
  })

  api.get('/api/state', async (context) => {
    const state = await feed.snapshot()
    return context.json({ ...originalState(state, hostname()), ...state })
  })

  api.get('/api/stream', (context) => {
    const topics = parse(Topics, context.req.query('topics') ?? '', 'topics')
    return openStream(streams, context, topics)
  })

  api.get('/api/diff/:id', async (context) => {
    const { id, base, sha } = parse(DiffQuery, { ...context.req.query(), id: context.req.param('id') }, 'diff')
    const found = await diff(id, base, sha)
    // Two commits differ in the same way for ever.
    context.header('cache-control', 'private, max-age=31536000, immutable')
    return context.json(found)
  })

  api.get('/metrics', async (context) => {
    const { text } = (await callOp(handlers, context, 'metrics', {})) as { text: string }
    return context.text(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  })

  api.get('/healthz', (context) => {
    const word = health()
    return context.text(`${word}\n`, word === 'ok' ? 200 : 503)
  })

  api.all('/api/*', () => {
    throw new HiveError('not_found', 'no such path', { hint: 'operations are at POST /api/op/<name>' })
  })
  return api
}

const DiffQuery = z.strictObject({
  id: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(ApprovalId),
  base: CommitId,
  sha: CommitId,
})

/** Routes whose errors are JSON, `{error: {code, message, hint}}`, with the status that fits. */
export function createRoutes(onInternalError: ApiOptions['onInternalError']): Hono<Env> {
  const routes = new Hono<Env>()
  const onError = () => {
    throw new HiveError('too_large', `a body has ${MAX_LINE_BYTES} bytes at most`)
  }
  routes.use('/api/*', bodyLimit({ maxSize: MAX_LINE_BYTES, onError }))
  routes.onError((thrown, context) => {
    const error = asHiveError(thrown)
    // A caller that left has cut its own body short.
    const isOurs = !(thrown instanceof HiveError) && !context.req.raw.signal.aborted
    if (isOurs) onInternalError(thrown, context.req.path)
    return context.json({ error: error.toWire() }, STATUS_OF_ERROR[error.code])
  })
  return routes
}

/** Calls an operation of the table as the operator. Throws as it does. */
export function callOp(
  handlers: Handlers<typeof hostOps>,
  { req, env }: Context<Env>,
  name: string,
  input: unknown,
): Promise<unknown> {
  return callHandler(hostOps, handlers, name, input, { signal: req.raw.signal, connection: env.incoming.socket })
}

/** Throws `bad_input`. */
export async function readJson(context: Context<Env>): Promise<unknown> {
  const text = await context.req.text()
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch (cause) {
    throw new HiveError('bad_input', 'the body is not JSON', { cause })
  }
}

/** Answers with a stream of topics, from where the client says that it has read. */
export async function openStream(streams: Streams, context: Context<Env>, topics: readonly string[]) {
  const after = parsePositions(context.req.header('last-event-id') ?? context.req.query('after') ?? '')
  await streams.serve(context.env.outgoing, topics, after)
  return RESPONSE_ALREADY_SENT
}

/** Throws `bad_input`. */
export function parse<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  throw new HiveError('bad_input', `${what}: ${describeInputError(error)}`)
}
