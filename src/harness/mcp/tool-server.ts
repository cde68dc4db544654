import { z } from 'zod'
import { describeInputError } from '../../kit/op-server.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import type { Op, Ops } from '../../wire/op.ts'

export interface Tool {
  readonly name: string
  readonly description: string
  readonly inputSchema: Record<string, unknown>
}

export interface ToolServer {
  tools(): Tool[]
  /** Never rejects: what went wrong is text that the model can act on. */
  call(name: string, args: unknown, options: { signal: AbortSignal }): Promise<{ text: string; isError: boolean }>
}

/**
 * The tools of an op table: every op that has a `tool`. `perform` carries a call out and says in words what came of it.
 */
export function createToolServer(
  ops: Ops,
  perform: (op: string, input: Record<string, unknown>, signal: AbortSignal) => Promise<string>,
): ToolServer {
  const toolOps = Object.entries(ops).filter(
    (entry): entry is [string, Op & { tool: z.ZodObject }] => entry[1].tool !== undefined,
  )
  return {
    tools: () =>
      toolOps.map(([name, { about, tool }]) => ({
        name,
        description: about,
        inputSchema: z.toJSONSchema(tool, { io: 'input' }) as Record<string, unknown>,
      })),

    async call(name, args, { signal }) {
      const op = toolOps.find(([known]) => known === name)?.[1]
      if (!op) return { text: `There is no tool ${name}.`, isError: true }
      const input = op.tool.safeParse(args ?? {})
      if (!input.success) return { text: `Bad input: ${describeInputError(input.error)}.`, isError: true }
      try {
        return { text: await perform(name, input.data, signal), isError: false }
      } catch (error) {
        return { text: describeFailure(error), isError: true }
      }
    },
  }
}

function describeFailure(error: unknown): string {
  if (!(error instanceof HiveError)) return `internal: ${errorText(error)}`
  return `${error.code}: ${error.message}${error.hint ? ` (${error.hint})` : ''}`
}
