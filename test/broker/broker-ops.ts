import { z } from 'zod'
import type { Ops } from '../../src/wire/op.ts'
import { Delivery, Message } from '../../src/wire/things.ts'

const Agent = z.string()

/** The broker over a socket, without containers: whoever calls says who it is. */
export const brokerOps = {
  send: {
    about: 'Send.',
    input: z.strictObject({ from: Agent, to: Agent, body: z.string(), key: z.string() }),
    output: z.object({ ids: z.array(z.number()) }),
  },
  hello: {
    about: 'Begin a new life of a harness, or go on with an epoch.',
    input: z.strictObject({ agent: Agent, epoch: z.number().optional() }),
    output: z.object({ epoch: z.number(), leases: z.array(Delivery) }),
  },
  recv: {
    about: 'Take the next message.',
    input: z.strictObject({ agent: Agent, epoch: z.number(), waitMs: z.number(), max: z.number().default(1) }),
    output: z.object({ messages: z.array(Delivery) }),
  },
  ack: {
    about: 'End a turn well.',
    input: z.strictObject({ agent: Agent, epoch: z.number(), ids: z.array(z.number()) }),
    output: z.object({}),
  },
  release: {
    about: 'End a turn because the API is not to be had.',
    input: z.strictObject({ agent: Agent, epoch: z.number(), ids: z.array(z.number()) }),
    output: z.object({}),
  },
  rows: {
    about: 'All messages.',
    input: z.strictObject({}),
    output: z.object({ messages: z.array(Message.extend({ key: z.string().nullable() })) }),
  },
} satisfies Ops
