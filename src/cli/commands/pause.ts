import type { Command } from 'commander'
import { addAgentVerb, type VerbFlags } from '../agent-verb.ts'
import type { Cli } from '../cli.ts'

export const addPause = (program: Command, cli: Cli): Command =>
  addAgentVerb(program, cli, {
    name: 'pause',
    op: 'pause',
    options: (command) =>
      command
        .option('--now', 'interrupt the turn in progress; its messages come again')
        .option('-m, --message <reason>', 'why, for whoever looks'),
    act: async (call, agent, { now, message }: VerbFlags & { message?: string }) => {
      await call.pause({ agent, now, reason: message })
      return { name: agent }
    },
    done: 'paused, until hive resume',
  })
