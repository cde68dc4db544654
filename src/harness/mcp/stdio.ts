import type { Readable, Writable } from 'node:stream'
import { createLineSplitter, parseJsonLine } from '../../kit/json-lines.ts'
import { connectOps } from '../../kit/op-client.ts'
import { MAX_LINE_BYTES } from '../../wire/op.ts'
import { createMcpResponder } from '../brain/claude/mcp-responder.ts'
import type { Config } from '../config.ts'
import { createHiveTools } from './hive-tools.ts'

/**
 * Serves the agent's tools over stdio (`hive-ag3nt mcp`), for whatever else in the sandbox speaks MCP. Resolves when its input ends.
 * A message taken here belongs to the turn in progress, and comes again unless the harness knows of it.
 */
export async function serveMcp(config: Config, input: Readable, output: Writable): Promise<void> {
  await using connection = await connectOps(config.ops, config.socket)
  const calls = connection.call as Record<string, (input: unknown) => Promise<unknown>>
  const responder = createMcpResponder(
    createHiveTools(config.ops, async (op, args) => {
      const call = calls[op]
      if (!call) throw new Error(`no operation ${op}`)
      return call(args)
    }),
  )
  const splitter = createLineSplitter(MAX_LINE_BYTES)
  const answers = new Set<Promise<void>>()
  for await (const chunk of input) {
    for (const line of splitter.push(chunk as Buffer)) {
      const answering = answer(line).finally(() => answers.delete(answering))
      answers.add(answering)
    }
  }
  await Promise.all(answers)

  async function answer(line: string): Promise<void> {
    const message = parseJsonLine(line)
    const reply = await responder.answer(message)
    const isNotification = (message as { id?: unknown }).id === undefined
    if (!isNotification) output.write(`${JSON.stringify(reply)}\n`)
  }
}
