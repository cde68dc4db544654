import type { Command } from 'commander'
import { addAgentVerb, helloText } from '../agent-verb.ts'
import type { Cli } from '../cli.ts'

export const addStart = (program: Command, cli: Cli): Command =>
  addAgentVerb(program, cli, {
    name: 'start',
    op: 'start',
    act: async (call, agent) => (await call.start({ agent })).agent,
    done: 'started',
    waitsFor: helloText,
  })
