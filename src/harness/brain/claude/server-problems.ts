import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

const Status = z.looseObject({
  mcpServers: z.array(z.looseObject({ name: z.string(), status: z.string(), error: z.string().optional() })),
})
type Server = z.infer<typeof Status>['mcpServers'][number]

const POLL_MS = 200
/** The text may come from the server. */
const MAX_PROBLEM = 300

export interface ServerWatch {
  /** Of the tool servers that are looked at. */
  readonly names: readonly string[]
  /** Asks the engine for `mcp_status`. */
  readonly ask: () => Promise<unknown>
  /** Milliseconds until one that is still starting counts as one that does not. */
  readonly limitMs: number
  readonly signal?: AbortSignal
}

/**
 * Waits until every tool server has started or failed. Gives for each what is wrong with it, as far as the engine knows; undefined: nothing.
 * Throws what `ask` throws, and when `signal` aborts.
 */
export async function findServerProblems(watch: ServerWatch): Promise<Map<string, string | undefined>> {
  const { names, ask, limitMs, signal } = watch
  if (names.length === 0) return new Map()
  const deadline = performance.now() + limitMs
  for (;;) {
    const { mcpServers } = Status.parse(await ask())
    const servers = names.map((name) => ({ name, server: mcpServers.find((server) => server.name === name) }))
    const isOver = performance.now() >= deadline
    if (isOver || servers.every(({ server }) => server?.status !== 'pending')) {
      return new Map(servers.map(({ name, server }) => [name, problemOf(server)]))
    }
    await sleep(POLL_MS, undefined, { signal })
  }
}

function problemOf(server: Server | undefined): string | undefined {
  if (!server) return 'claude takes no server of this name'
  if (server.status === 'connected') return undefined
  return (server.error ?? `it is ${server.status}`).trim().replaceAll(/\s+/g, ' ').slice(0, MAX_PROBLEM)
}
