import type { Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { SubAgentName } from '../../wire/names.ts'
import { assertTerminal, confirm } from '../ask.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { type HostClient, withDaemon } from '../daemon-client.ts'
import { sayWhileWaiting } from '../patience.ts'
import { say, show } from '../show.ts'

type Flags = GlobalFlags & { purge?: boolean; yes?: boolean }

export const addDestroy = (program: Command, cli: Cli): Command =>
  program
    .command('destroy')
    .description(hostOps.destroy.about)
    .argument('<agent>', 'name of the agent')
    .option('--purge', 'remove its notes and its login too, for good')
    .option('-y, --yes', 'do not ask')
    .action(async (agent: string, _, command: Command) => {
      const flags = flagsOf<Flags>(command)
      checkName(agent)
      await withDaemon(cli, flags, async (call) => {
        if (!flags.yes) {
          const lines = await whatGoes(call, agent, flags)
          assertTerminal(cli, 'destroy', 'pass --yes')
          for (const line of lines) say(cli, line)
          await confirm(cli, 'Go on?', 'nothing was destroyed')
        }
        const destroyed = call.destroy({ agent, purge: flags.purge })
        await sayWhileWaiting(cli, flags, `the turn of ${agent} to end; hive cancel ${agent} interrupts it`, destroyed)
      })
      show(cli, flags, { data: { name: agent }, text: () => `${agent} destroyed\n` })
    })

/** Before anybody is asked whether to destroy what cannot be. Throws `bad_input`. */
function checkName(agent: string): void {
  const { error } = SubAgentName.safeParse(agent)
  if (error) throw new HiveError('bad_input', `${agent} cannot be destroyed: it ${error.issues[0]?.message}`)
}

async function whatGoes(call: HostClient, name: string, { purge }: Flags): Promise<string[]> {
  const { agents } = await call.list({})
  const agent = agents.find((one) => one.name === name)
  if (!agent) throw new HiveError('not_found', `there is no agent ${name}`, { hint: 'hive list shows them' })
  return [
    `Destroying ${name} (${agent.state}, ${agent.unread} unread):`,
    agent.turn ? '- its turn in progress is interrupted' : '',
    '- its container goes',
    purge
      ? '- its notes, its login and its history go too: there is no way back'
      : `- its notes and its login stay, for a later \`hive revive ${name}\``,
    purge ? '- what is queued for it becomes dead' : '- what is queued for it waits',
  ].filter(Boolean)
}
