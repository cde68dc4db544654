import { z } from 'zod'
import { WireError } from './errors.ts'

/** One operation: what it does, what it takes, what it gives. Socket server, client, CLI call and MCP tool are derived from it. */
export interface Op {
  /** One sentence; the description of the MCP tool where the op is one. */
  readonly about: string
  readonly input: z.ZodObject
  readonly output: z.ZodType
  /** Present on ops that the model may call: the part of `input` that it sees and fills in. */
  readonly tool?: z.ZodObject
}

export type Ops = Readonly<Record<string, Op>>
export type Input<O extends Op> = z.input<O['input']>
export type Parsed<O extends Op> = z.output<O['input']>
export type Output<O extends Op> = z.output<O['output']>

/** What a handler knows about the call beyond its input. */
export interface Call {
  /** Aborted when the caller's connection is gone. */
  readonly signal: AbortSignal
  /** The same object for all calls of one connection. */
  readonly connection: object
}

/** A complete implementation of a table: leaving an op out does not compile. */
export type Handlers<O extends Ops> = {
  readonly [K in keyof O]: (input: Parsed<O[K]>, call: Call) => Output<O[K]> | Promise<Output<O[K]>>
}

/** The typed client of a table. Rejects with HiveError. */
export type Client<O extends Ops> = {
  readonly [K in keyof O]: (input: Input<O[K]>, options?: { signal?: AbortSignal }) => Promise<Output<O[K]>>
}

/** Frames on a socket: one JSON object per line, one reply per request, replies in any order. */
export const RequestFrame = z.strictObject({
  id: z.number().int().nonnegative(),
  op: z.string().max(64),
  input: z.unknown(),
})
export type RequestFrame = z.infer<typeof RequestFrame>

export const ReplyFrame = z.discriminatedUnion('ok', [
  z.object({ id: z.number(), ok: z.literal(true), output: z.unknown() }),
  z.object({ id: z.number().nullable(), ok: z.literal(false), error: WireError }),
])
export type ReplyFrame = z.infer<typeof ReplyFrame>

/** Longest line on a socket, in bytes. */
export const MAX_LINE_BYTES = 1024 * 1024
/** Longest message body, in UTF-8 bytes. */
export const MAX_BODY_BYTES = 64 * 1024
