import type { Ops } from '../../wire/op.ts'
import type { Delivery } from '../../wire/things.ts'
import { describeMessage } from '../turn/wake-prompt.ts'
import { createToolServer, type ToolServer } from './tool-server.ts'

/**
 * The tools of an agent's op table, over whatever carries its calls. A message that the model takes with `recv` is shown
 * as a wake prompt shows it, and told to `onMessage`.
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
      const message = op === 'recv' ? (output as { message: Delivery | null }).message : null
      // What nobody waits for any more is not read.
      if (message && !signal.aborted) onMessage(message)
      return output
    },
    (op, output) => {
      if (op !== 'recv') return JSON.stringify(output)
      const { message } = output as { message: Delivery | null }
      return message ? describeMessage(message) : '(empty)'
    },
  )
