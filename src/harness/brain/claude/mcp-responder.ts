import { z } from 'zod'
import { TOOL_SERVER } from './argv.ts'

/** The tools that the model can call. `call` never rejects: what went wrong is text that the model can act on. */
export interface ToolServer {
  tools(): { name: string; description: string; inputSchema: Record<string, unknown> }[]
  call(name: string, args: unknown, options: { signal: AbortSignal }): Promise<{ text: string; isError: boolean }>
}

const JsonRpc = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z.looseObject({}).optional(),
})
const CallParams = z.looseObject({ name: z.string(), arguments: z.unknown() })
const CancelParams = z.looseObject({ requestId: z.union([z.string(), z.number()]) })

export interface McpResponder {
  /** Answers one JSON-RPC message of the engine; undefined for notifications. */
  answer(message: unknown): Promise<object | undefined>
  /** Calls that have not been answered yet. */
  readonly pending: number
  /** Aborts them. */
  abortAll(): void
}

/** The server's half of MCP, as far as the engine speaks it over its control channel. Calls may overlap. */
export function createMcpResponder(server: ToolServer): McpResponder {
  const calls = new Map<string | number, AbortController>()

  const callTool = async (id: string | number, params: unknown): Promise<object> => {
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

  const handle = async (
    method: string,
    id: string | number | undefined,
    params: unknown,
  ): Promise<object | undefined> => {
    switch (method) {
      case 'initialize':
        return {
          protocolVersion: (params as { protocolVersion?: string } | undefined)?.protocolVersion ?? '2025-06-18',
          capabilities: { tools: {} },
          serverInfo: { name: TOOL_SERVER, version: '1' },
        }
      case 'tools/list':
        return { tools: server.tools() }
      case 'tools/call':
        return id === undefined ? undefined : callTool(id, params)
      case 'ping':
        return {}
      case 'notifications/cancelled': {
        const cancelled = CancelParams.safeParse(params)
        if (cancelled.success) calls.get(cancelled.data.requestId)?.abort()
        return undefined
      }
      default:
        return undefined
    }
  }

  return {
    get pending() {
      return calls.size
    },
    abortAll() {
      for (const controller of calls.values()) controller.abort()
    },
    async answer(message) {
      const { id, method, params } = JsonRpc.parse(message)
      const result = await handle(method, id, params)
      if (id === undefined) return undefined
      return result
        ? { jsonrpc: '2.0', id, result }
        : { jsonrpc: '2.0', id, error: { code: -32601, message: `no method ${method}` } }
    },
  }
}
