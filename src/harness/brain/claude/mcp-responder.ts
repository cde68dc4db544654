import { z } from 'zod'
import { HIVE_TOOL_SERVER } from '../../../wire/agent-config.ts'
import { errorText } from '../../../wire/errors.ts'

/** The tools that the model can call. `call` never rejects: what went wrong is text that the model can act on. */
export interface ToolServer {
  tools(): { name: string; description: string; inputSchema: Record<string, unknown> }[]
  call(name: string, args: unknown, options: { signal: AbortSignal }): Promise<{ text: string; isError: boolean }>
}

const Id = z.union([z.string(), z.number()])
type Id = z.infer<typeof Id>
const JsonRpc = z.looseObject({ id: Id.optional(), method: z.string(), params: z.looseObject({}).optional() })
const InitializeParams = z.looseObject({ protocolVersion: z.string() })
const CallParams = z.looseObject({ name: z.string(), arguments: z.unknown().optional() })
const CancelParams = z.looseObject({ requestId: Id })

/** Codes of JSON-RPC. */
export const RPC_ERRORS = {
  notJson: -32700,
  badRequest: -32600,
  unknownMethod: -32601,
  badParams: -32602,
  internal: -32603,
}
/** The channel wants an answer to everything; what has none in JSON-RPC gets this. */
const NO_ANSWER = { jsonrpc: '2.0', id: 0, result: {} }

export interface McpResponder {
  /** Answers one JSON-RPC message of the engine. Throws when it is none. */
  answer(message: unknown): Promise<object>
  /** Calls that have not been answered yet. */
  readonly pending: number
  /** Resolves when the engine has asked for the tools. */
  readonly listed: Promise<void>
  /** Aborts the calls: nobody waits for them any more. */
  abortAll(): void
}

/** The server's half of MCP, as far as the engine speaks it over its control channel. Calls may overlap. */
export function createMcpResponder(server: ToolServer): McpResponder {
  const calls = new Map<Id, AbortController>()
  const listed = Promise.withResolvers<void>()

  const callTool = async (id: Id, params: unknown): Promise<object> => {
    const { name, arguments: args } = CallParams.parse(params)
    const controller = new AbortController()
    calls.set(id, controller)
    try {
      const { text, isError } = await server.call(name, args, { signal: controller.signal })
      return { content: [{ type: 'text', text }], isError }
    } finally {
      calls.delete(id)
    }
  }

  const perform = async (id: Id, method: string, params: unknown): Promise<object | undefined> => {
    switch (method) {
      case 'initialize': {
        const { protocolVersion } = InitializeParams.parse(params)
        return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: HIVE_TOOL_SERVER, version: '1' } }
      }
      case 'tools/list':
        listed.resolve()
        return { tools: server.tools() }
      case 'tools/call':
        return callTool(id, params)
      case 'ping':
        return {}
      default:
        return undefined
    }
  }

  const takeNotice = (method: string, params: unknown): void => {
    if (method !== 'notifications/cancelled') return
    calls.get(CancelParams.parse(params).requestId)?.abort()
  }

  return {
    get pending() {
      return calls.size
    },
    listed: listed.promise,
    abortAll() {
      for (const controller of calls.values()) controller.abort()
    },
    async answer(message) {
      const { id, method, params } = JsonRpc.parse(message)
      if (id === undefined) {
        takeNotice(method, params)
        return NO_ANSWER
      }
      try {
        const result = await perform(id, method, params)
        if (result) return { jsonrpc: '2.0', id, result }
        return rpcError(id, RPC_ERRORS.unknownMethod, `no method ${method}`)
      } catch (error) {
        if (error instanceof z.ZodError) return rpcError(id, RPC_ERRORS.badParams, z.prettifyError(error))
        return rpcError(id, RPC_ERRORS.internal, errorText(error))
      }
    },
  }
}

/** The answer to what cannot be done; `id` is null when it is not known what was asked. */
export const rpcError = (id: Id | null, code: number, message: string): object => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
})
