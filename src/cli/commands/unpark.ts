import type { Command } from 'commander'
import { addAgentVerb } from '../agent-verb.ts'
import type { Cli } from '../cli.ts'

export const addUnpark = (program: Command, cli: Cli): Command =>
  addAgentVerb(program, cli, {
    name: 'unpark',
    op: 'unpark',
    act: async (call, agent) => (await call.unpark({ agent })).agent,
    done: 'goes on',
  })
