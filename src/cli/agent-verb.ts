import type { Command } from 'commander'
import { hostOps } from '../wire/host-ops.ts'
import { type Cli, flagsOf, type GlobalFlags } from './cli.ts'
import { type HostClient, withDaemon } from './daemon-client.ts'
import { sayWhileWaiting } from './patience.ts'
import { show } from './show.ts'

export type VerbFlags = GlobalFlags & { now?: boolean }

/** A command that does one thing to one or more agents. */
export interface AgentVerb {
  readonly name: string
  readonly op: keyof typeof hostOps
  /** Adds options of its own. */
  readonly options?: (command: Command) => Command
  /** Gives the row that `--json` shows. */
  readonly act: (call: HostClient, agent: string, flags: VerbFlags) => Promise<{ name: string }>
  /** What people are told about each agent. */
  readonly done: string
  /** What takes its time, for verbs that do. */
  readonly waitsFor?: (agent: string, flags: VerbFlags) => string
}

/** Adds such a command. All agents are tried at once; it throws an AggregateError of those that failed. */
export function addAgentVerb(
  program: Command,
  cli: Cli,
  { name, op, options, act, done, waitsFor }: AgentVerb,
): Command {
  const command = program
    .command(name)
    .description(hostOps[op].about)
    .argument('<agent...>', 'names of agents, or manager')
  return (options?.(command) ?? command).action(async (agents: string[], _, command: Command) => {
    const flags = flagsOf<VerbFlags>(command)
    const results = await withDaemon(cli, flags, (call) =>
      Promise.allSettled(
        agents.map((agent) => {
          const acted = act(call, agent, flags)
          return waitsFor ? sayWhileWaiting(cli, flags, waitsFor(agent, flags), acted) : acted
        }),
      ),
    )
    const rows = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    show(cli, flags, { data: rows, text: () => rows.map((row) => `${row.name} ${done}\n`).join('') })
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (errors.length > 0) throw new AggregateError(errors)
  })
}

/** The option of verbs that stop a turn. */
export const addNow = (command: Command): Command =>
  command.option('--now', 'interrupt the turn in progress instead of giving it 30 s')

/** What a verb that stops a turn waits for. */
export const endOfTurnText = (agent: string, { now }: VerbFlags): string =>
  now ? `${agent} to end` : `the turn of ${agent} to end; --now interrupts it`

/** What a verb that starts an agent waits for. */
export const helloText = (agent: string): string => `the harness of ${agent} to say hello`
