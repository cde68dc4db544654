import type { Command } from 'commander'
import { hostOps } from '../wire/host-ops.ts'
import { type Cli, flagsOf, type GlobalFlags } from './cli.ts'
import { type HostClient, withDaemon } from './daemon-client.ts'
import { sayWhileWaiting } from './patience.ts'
import { show } from './show.ts'

export type VerbFlags = GlobalFlags & { now?: boolean }

/** One thing that is done to one or more agents. */
export interface AgentAct {
  /** Gives the row that `--json` shows. */
  readonly act: (call: HostClient, agent: string, flags: VerbFlags) => Promise<{ name: string }>
  /** What people are told about each agent. */
  readonly done: string
  /** What takes its time, for verbs that do. */
  readonly waitsFor?: (agent: string, flags: VerbFlags) => string
}

/** A command that does it. */
export interface AgentVerb extends AgentAct {
  readonly name: string
  readonly op: keyof typeof hostOps
  /** Adds options of its own. */
  readonly options?: (command: Command) => Command
}

/** Adds such a command. All agents are tried at once; it throws an AggregateError of those that failed. */
export function addAgentVerb(program: Command, cli: Cli, { name, op, options, ...what }: AgentVerb): Command {
  const command = program
    .command(name)
    .description(hostOps[op].about)
    .argument('<agent...>', 'names of agents, or manager')
  return (options?.(command) ?? command).action((agents: string[], _, command: Command) =>
    actOnAgents(cli, flagsOf<VerbFlags>(command), agents, what),
  )
}

/** Tries it with all agents at once, and says of each that it was done. Throws an AggregateError of those that failed. */
export async function actOnAgents(
  cli: Cli,
  flags: VerbFlags,
  agents: readonly string[],
  { act, done, waitsFor }: AgentAct,
): Promise<void> {
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
}

/** The option of verbs that stop a turn. */
export const addNow = (command: Command): Command =>
  command.option('--now', 'interrupt the turn in progress instead of giving it 30 s')

/** What a verb that stops a turn waits for. */
export const endOfTurnText = (agent: string, { now }: VerbFlags): string =>
  now ? `${agent} to end` : `the turn of ${agent} to end; --now interrupts it`

/** What a verb that starts an agent waits for. */
export const helloText = (agent: string): string => `the harness of ${agent} to say hello`
