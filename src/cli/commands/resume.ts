import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { actOnAgents, type VerbFlags } from '../agent-verb.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { show } from '../show.ts'

export const addResume = (program: Command, cli: Cli): Command =>
  program
    .command('resume')
    .description(hostOps.resume.about)
    .argument('[agent...]', 'names of agents, or manager')
    .option('--all', 'end the emergency stop; agents that were paused one by one stay so')
    .action(async (agents: string[], _, command: Command) => {
      const flags = flagsOf<VerbFlags & { all?: boolean }>(command)
      if ((flags.all ?? false) === agents.length > 0) {
        command.error('error: either name agents, or say --all to end an emergency stop')
      }
      if (!flags.all) return actOnAgents(cli, flags, agents, { act: resume, done: 'goes on' })
      await withDaemon(cli, flags, (call) => call.resume_all({}))
      show(cli, flags, { data: { stopped: null }, text: () => 'the emergency stop is over\n' })
    })

const resume: Parameters<typeof actOnAgents>[3]['act'] = async (call, agent) => {
  await call.resume({ agent })
  return { name: agent }
}
