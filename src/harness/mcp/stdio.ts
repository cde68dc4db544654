import { readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'
import { createLineSplitter } from '../../kit/json-lines.ts'
import { connectOps } from '../../kit/op-client.ts'
import { errorText } from '../../wire/errors.ts'
import { MAX_LINE_BYTES } from '../../wire/op.ts'
import { createMcpResponder, RPC_ERRORS, rpcError } from '../brain/claude/mcp-responder.ts'
import type { Config } from '../config.ts'
import { proposalTools } from '../repositories/proposal.ts'
import { createHiveTools, offeredOps } from './hive-tools.ts'

const MayAsk = z.looseObject({ askOperator: z.boolean().default(false) })

/** Only the harness is told the configuration; here it is read as it is deployed. Without a file it says nothing. */
function readMayAsk({ agentConfig }: Config): boolean {
  try {
    return MayAsk.parse(JSON.parse(readFileSync(agentConfig, 'utf8'))).askOperator
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Nothing of ours waits for one, and it must not be answered. */
const Response = z.union([z.looseObject({ result: z.unknown() }), z.looseObject({ error: z.looseObject({}) })])
const Request = z.looseObject({ method: z.string(), id: z.union([z.string(), z.number()]).optional() })

/**
 * Serves the agent's tools over stdio (`hive-ag3nt mcp`), for whatever else in the sandbox speaks MCP. Resolves when its input ends.
 * A message taken here belongs to the turn in progress, and comes again unless the harness knows of it.
 */
export async function serveMcp(config: Config, input: Readable, output: Writable): Promise<void> {
  await using connection = await connectOps(config.ops, config.socket)
  const calls = connection.call as Record<
    string,
    (input: unknown, options: { signal: AbortSignal }) => Promise<unknown>
  >
  const responder = createMcpResponder(
    createHiveTools(
      offeredOps(config.ops, { mayAsk: config.role === 'manager' || readMayAsk(config) }),
      async (op, args, signal) => {
        const call = calls[op]
        if (!call) throw new Error(`no operation ${op}`)
        return call(args, { signal })
      },
      { preparations: proposalTools(config.repositories) },
    ),
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
    const reply = await replyTo(line)
    if (reply) output.write(`${JSON.stringify(reply)}\n`)
  }

  async function replyTo(line: string): Promise<object | undefined> {
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch (error) {
      return rpcError(null, RPC_ERRORS.notJson, `a line is not JSON: ${errorText(error)}`)
    }
    const request = Request.safeParse(message)
    if (!request.success) {
      if (Response.safeParse(message).success) return undefined
      return rpcError(null, RPC_ERRORS.badRequest, `a line is no request: ${z.prettifyError(request.error)}`)
    }
    const { id } = request.data
    try {
      const reply = await responder.answer(message)
      return id === undefined ? undefined : reply
    } catch (error) {
      // What is wrong with a notification is told nobody: it has no answer.
      return id === undefined ? undefined : rpcError(id, RPC_ERRORS.badRequest, errorText(error))
    }
  }
}
