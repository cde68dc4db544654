import type { Command } from 'commander'
import { addAgentVerb, addNow, endOfTurnText } from '../agent-verb.ts'
import type { Cli } from '../cli.ts'

export const addRestart = (program: Command, cli: Cli): Command =>
  addAgentVerb(program, cli, {
    name: 'restart',
    op: 'restart',
    options: addNow,
    act: async (call, agent, { now }) => (await call.restart({ agent, now })).agent,
    done: 'restarted',
    waitsFor: endOfTurnText,
  })
