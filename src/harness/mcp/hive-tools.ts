import type { agentOps } from '../../wire/agent-ops.ts'
import type { Ops, Output } from '../../wire/op.ts'
import type { Delivery } from '../../wire/things.ts'
import { wakePrompt } from '../turn/wake-prompt.ts'
import { createToolServer, type ToolServer } from './tool-server.ts'

/**
 * The tools of an agent's op table, over whatever carries its calls. Messages that the model takes with `recv` are shown
 * as a wake prompt shows them, and told to `onMessage`.
 */
export const createHiveTools = (
  ops: Ops,
  call: (op: string, input: Record<string, unknown>, signal: AbortSignal) => Promise<unknown>,
  onMessage: (message: Delivery) => void = () => {},
): ToolServer =>
  createToolServer(
    ops,
    async (op, input, signal) => {
      // A call that has to be repeated must not send twice.
      const output = await call(op, op === 'send' ? { ...input, key: crypto.randomUUID() } : input, signal)
      // What nobody waits for any more is not read.
      if (op === 'recv' && !signal.aborted) for (const message of messagesOf(output)) onMessage(message)
      return output
    },
    (op, output) => {
      if (op !== 'recv') return JSON.stringify(output)
      return wakePrompt(messagesOf(output)) || '(empty)'
    },
  )

const messagesOf = (output: unknown): Delivery[] => (output as Output<typeof agentOps.recv>).messages
