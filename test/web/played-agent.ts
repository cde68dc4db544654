import { join } from 'node:path'
import { connectOps } from '../../src/kit/op-client.ts'
import { agentOps } from '../../src/wire/agent-ops.ts'
import type { LiveEvent } from '../../src/wire/events.ts'
import type { TestHive } from '../hive.ts'

export interface PlayedAgent extends AsyncDisposable {
  /** Stores events as the agent's harness would. */
  tell(events: readonly LiveEvent[]): Promise<void>
}

/** Takes the place of the harness of an agent that is stopped: its transcript is what the test says. */
export async function playAgent(hive: Pick<TestHive, 'runDir'>, agent: string): Promise<PlayedAgent> {
  const connection = await connectOps(agentOps, join(hive.runDir, 'agents', agent, 'mcp.sock'))
  const { epoch } = await connection.call.hello({ revision: 'played' })
  let n = 0
  return {
    async tell(events) {
      for (let from = 0; from < events.length; from += 500) {
        const batch = events.slice(from, from + 500).map((event) => ({ n: n++, at: Date.now(), event }))
        await connection.call.append_events({ epoch, events: batch })
      }
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

/** What a turn leaves behind: five events, with its number in each text. */
export function turnEvents(number: number): LiveEvent[] {
  const stream = (role: 'assistant' | 'user', content: object): LiveEvent => ({
    kind: 'stream',
    value: { type: role, message: { role, content: [content] } },
  })
  const id = `toolu_${number}`
  const output = Array.from({ length: number % 7 }, (_, line) => `output ${line} of ${number}`).join('\n')
  return [
    { kind: 'turn_start', messages: [{ id: number, from: 'operator', body: `task ${number}` }], pending: 0 },
    stream('assistant', { type: 'text', text: `I look at **${number}**.\n\n- one\n- two` }),
    stream('assistant', { type: 'tool_use', id, name: 'Bash', input: { command: `echo ${number}` } }),
    stream('user', { type: 'tool_result', tool_use_id: id, content: output, is_error: number % 50 === 0 }),
    { kind: 'turn_end', end: { reason: 'ok', detail: '' } },
  ]
}
