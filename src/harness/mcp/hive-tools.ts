import type { agentOps } from '../../wire/agent-ops.ts'
import type { Ops, Output } from '../../wire/op.ts'
import { agentQuestionOps } from '../../wire/questions.ts'
import type { Delivery } from '../../wire/things.ts'
import { wakePrompt } from '../turn/wake-prompt.ts'
import { createToolServer, type ToolServer } from './tool-server.ts'

type Input = Record<string, unknown>

/** The operations whose tools an agent has: those about questions only when it may ask the operator. */
export const offeredOps = (ops: Ops, { mayAsk }: { mayAsk: boolean }): Ops =>
  Object.fromEntries(Object.entries(ops).filter(([name]) => mayAsk || !Object.hasOwn(agentQuestionOps, name)))

/** Makes of what the model says the op's input, where that is more than it; `describe` tells the model what came of it. */
export type Preparation = (
  input: Input,
) => Promise<{ readonly input: Input; readonly describe: (output: unknown) => string }>

export interface HiveToolsOptions {
  /** Is told of each message that the model takes with `recv`. */
  readonly onMessage?: (message: Delivery) => void
  /** By op. */
  readonly preparations?: Readonly<Record<string, Preparation>>
}

/**
 * The tools of an agent's op table, over whatever carries its calls. Messages that the model takes with `recv` are shown
 * as a wake prompt shows them.
 */
export function createHiveTools(
  ops: Ops,
  call: (op: string, input: Input, signal: AbortSignal) => Promise<unknown>,
  { onMessage = () => {}, preparations = {} }: HiveToolsOptions = {},
): ToolServer {
  const prepare: Readonly<Record<string, Preparation>> = {
    // A call that has to be repeated must not do it twice.
    send: withKey,
    remind: withKey,
    ask_operator: async (input) => ({ ...(await withKey(input)), describe: describeAsked }),
    recv: async (input) => ({ input, describe: (output) => wakePrompt(messagesOf(output)) || '(empty)' }),
    ...preparations,
  }
  return createToolServer(ops, async (op, said, signal) => {
    const { input, describe } = (await prepare[op]?.(said)) ?? { input: said, describe: asJson }
    const output = await call(op, input, signal)
    // What nobody waits for any more is not read.
    if (op === 'recv' && !signal.aborted) for (const message of messagesOf(output)) onMessage(message)
    return describe(output)
  })
}

const withKey: Preparation = async (input) => ({ input: { ...input, key: crypto.randomUUID() }, describe: asJson })
const asJson = (output: unknown): string => JSON.stringify(output)
const describeAsked = (output: unknown): string =>
  `Question ${(output as Output<typeof agentOps.ask_operator>).id} waits for the operator. The answer wakes you, as an event operator_answered: end your turn when there is nothing else to do.`
const messagesOf = (output: unknown): Delivery[] => (output as Output<typeof agentOps.recv>).messages
