import type { Command } from 'commander'
import { addAgentVerb } from '../agent-verb.ts'
import type { Cli } from '../cli.ts'

export const addCompact = (program: Command, cli: Cli): Command =>
  addAgentVerb(program, cli, {
    name: 'compact',
    op: 'compact',
    act: async (call, agent) => {
      await call.compact({ agent })
      return { name: agent }
    },
    done: 'was told to compact',
  })
