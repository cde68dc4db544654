import { z } from 'zod'
import type { StreamMessage } from './claude-process.ts'

/** A use of a tool that the engine may not make by itself. */
export interface ToolRequest {
  /** The engine's, for this request. */
  readonly id: string
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
  readonly description: string | undefined
}

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly message: string }

/** Gives the verdict on a request, however long that takes; never rejects unless `signal` aborts: then nobody asks any more. */
export type AskPermission = (request: ToolRequest, signal: AbortSignal) => Promise<Verdict>

const CanUseTool = z.looseObject({
  tool_name: z.string(),
  input: z.record(z.string(), z.unknown()),
  description: z.string().optional(),
})
const Cancel = z.looseObject({ request_id: z.string() })

export interface PermissionRequests {
  /** Gives what the engine is to be answered; undefined when it does not ask any more. Throws when the request cannot be read. */
  decide(id: string, request: unknown): Promise<object | undefined>
  /** Takes the engine's word that it does not ask any more. Throws when it cannot be read. */
  cancel(message: StreamMessage): void
  /** Nobody waits for the verdicts any more. */
  abortAll(): void
  /** Requests without a verdict. */
  readonly pending: number
}

/** What one engine asks for, and what of it waits for a verdict. */
export function createPermissionRequests(ask: AskPermission): PermissionRequests {
  const waiting = new Map<string, AbortController>()
  return {
    async decide(id, request) {
      const { tool_name: tool, input, description } = CanUseTool.parse(request)
      const controller = new AbortController()
      waiting.set(id, controller)
      try {
        const verdict = await ask({ id, tool, input, description }, controller.signal)
        // What the engine suggests beside it would be a grant that nobody reviews: it is not given back.
        return verdict.allowed
          ? { behavior: 'allow', updatedInput: input }
          : { behavior: 'deny', message: verdict.message }
      } catch (error) {
        if (!controller.signal.aborted) throw error
        return undefined
      } finally {
        waiting.delete(id)
      }
    },
    cancel: (message) => waiting.get(Cancel.parse(message).request_id)?.abort(),
    abortAll() {
      for (const controller of waiting.values()) controller.abort()
    },
    get pending() {
      return waiting.size
    },
  }
}
