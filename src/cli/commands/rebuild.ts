import type { Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { MANAGER, MANAGER_CONTAINER } from '../../wire/names.ts'
import { addNow, type VerbFlags } from '../agent-verb.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { type HostClient, withDaemon } from '../daemon-client.ts'
import { sayWhileWaiting } from '../patience.ts'
import { show } from '../show.ts'

type Flags = VerbFlags & { all?: boolean; stale?: boolean }

export const addRebuild = (program: Command, cli: Cli): Command =>
  addNow(
    program
      .command('rebuild')
      .description(hostOps.rebuild.about)
      .argument('[agent...]', 'names of agents, or manager')
      .option('--all', 'every agent')
      .option('--stale', 'every agent that is on older programs'),
  ).action(async (names: string[], _, command: Command) => {
    const flags = flagsOf<Flags>(command)
    assertOneChoice(names, flags)
    const rebuilt: string[] = []
    const errors: unknown[] = []
    const agents = await withDaemon(cli, flags, async (call) => {
      // One at a time: what is wrong with all of them is seen on the first, while the others work on.
      for (const agent of await choose(call, names, flags)) {
        try {
          await sayWhileWaiting(cli, flags, waitText(agent, flags), call.rebuild({ agent, now: flags.now ?? false }))
          if (!flags.json) cli.io.out.write(`${agent} rebuilt\n`)
          rebuilt.push(agent)
        } catch (error) {
          errors.push(error)
        }
      }
      return (await call.list({})).agents.filter(({ name }) => rebuilt.includes(name))
    })
    const nothing = rebuilt.length === 0 && errors.length === 0
    show(cli, flags, { data: agents, text: () => (nothing ? 'every agent is on the current programs\n' : '') })
    if (errors.length > 0) throw new AggregateError(errors)
  })

const waitText = (agent: string, { now }: Flags): string =>
  now ? `${agent} to be well` : `the turn of ${agent} to end, and ${agent} to be well; --now interrupts the turn`

/** Throws `bad_input`. */
function assertOneChoice(names: readonly string[], { all, stale }: Flags): void {
  const choices = [names.length > 0, all, stale].filter(Boolean).length
  if (choices === 1) return
  throw new HiveError('bad_input', choices === 0 ? 'which agents?' : 'names, --all and --stale exclude each other', {
    hint: 'hive rebuild <agent…>, hive rebuild --stale, or hive rebuild --all',
  })
}

/** The manager comes first. */
async function choose(call: HostClient, names: readonly string[], { all }: Flags): Promise<readonly string[]> {
  if (names.length > 0) return [...new Set(names.map((name) => (name === MANAGER_CONTAINER ? MANAGER : name)))]
  const { agents } = await call.list({})
  const chosen = agents.filter(({ needsUpdate }) => all || needsUpdate).map(({ name }) => name)
  return [...chosen.filter((name) => name === MANAGER), ...chosen.filter((name) => name !== MANAGER)]
}
