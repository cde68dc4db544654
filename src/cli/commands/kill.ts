import type { Command } from 'commander'
import { addAgentVerb, addNow, endOfTurnText } from '../agent-verb.ts'
import type { Cli } from '../cli.ts'

export const addKill = (program: Command, cli: Cli): Command =>
  addAgentVerb(program, cli, {
    name: 'kill',
    op: 'kill',
    options: addNow,
    act: async (call, agent, { now }) => (await call.kill({ agent, now })).agent,
    done: 'stopped, until hive start',
    waitsFor: endOfTurnText,
  })
