import type { Command } from 'commander'
import { addAgentVerb } from '../agent-verb.ts'
import type { Cli } from '../cli.ts'

export const addCancel = (program: Command, cli: Cli): Command =>
  addAgentVerb(program, cli, {
    name: 'cancel',
    op: 'cancel',
    act: async (call, agent) => {
      await call.cancel({ agent })
      return { name: agent }
    },
    done: 'was told to end its turn',
  })
