import type { Handlers } from '../../wire/op.ts'
import type { terminalOps } from '../../wire/terminals.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Terminals } from '../terminals/terminals.ts'

export interface HostTerminalDeps {
  readonly registry: Pick<AgentRegistry, 'get'>
  readonly terminals: Terminals
}

/** What the operator's socket answers about shells in sandboxes. */
export function terminalHandlers({ registry, terminals }: HostTerminalDeps): Handlers<typeof terminalOps> {
  return {
    async terminal_open({ agent, ...size }) {
      registry.get(agent)
      return { id: await terminals.open(agent, size) }
    },
    terminal_write({ id, data }) {
      terminals.get(id).write(Buffer.from(data, 'base64'))
      return {}
    },
    async terminal_resize({ id, ...size }) {
      await terminals.get(id).resize(size)
      return {}
    },
    async terminal_read({ id, after, wait_seconds }, { signal }) {
      const { data, ...rest } = await terminals.get(id).read(after, wait_seconds * 1000, signal)
      return { data: data.toString('base64'), ...rest }
    },
    async terminal_close({ id }) {
      await terminals.close(id)
      return {}
    },
  }
}
