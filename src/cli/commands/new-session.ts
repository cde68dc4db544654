import type { Command } from 'commander'
import { addAgentVerb } from '../agent-verb.ts'
import type { Cli } from '../cli.ts'

export const addNewSession = (program: Command, cli: Cli): Command =>
  addAgentVerb(program, cli, {
    name: 'new-session',
    op: 'new_session',
    act: async (call, agent) => {
      await call.new_session({ agent })
      return { name: agent }
    },
    done: 'was told to begin a fresh session',
  })
