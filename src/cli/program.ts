import { Command } from 'commander'
import { readPackageVersion } from '../kit/package-version.ts'
import type { Cli } from './cli.ts'
import { addAllow } from './commands/allow.ts'
import { addAnswer } from './commands/answer.ts'
import { addApprove } from './commands/approve.ts'
import { addAudit } from './commands/audit.ts'
import { addBackup } from './commands/backup.ts'
import { addCancel } from './commands/cancel.ts'
import { addCancelQuestion } from './commands/cancel-question.ts'
import { addCancelReminder } from './commands/cancel-reminder.ts'
import { addCompact } from './commands/compact.ts'
import { addComplete } from './commands/complete.ts'
import { addConfig } from './commands/config.ts'
import { addDeny } from './commands/deny.ts'
import { addDeploys } from './commands/deploys.ts'
import { addDestroy } from './commands/destroy.ts'
import { addDoctor } from './commands/doctor.ts'
import { addDrop } from './commands/drop.ts'
import { addKill } from './commands/kill.ts'
import { addList } from './commands/list.ts'
import { addLogin } from './commands/login.ts'
import { addLogout } from './commands/logout.ts'
import { addLogs } from './commands/logs.ts'
import { addMessage } from './commands/message.ts'
import { addMessages } from './commands/messages.ts'
import { addMetrics } from './commands/metrics.ts'
import { addModel } from './commands/model.ts'
import { addNeeds } from './commands/needs.ts'
import { addNewSession } from './commands/new-session.ts'
import { addNotify } from './commands/notify.ts'
import { addOpen } from './commands/open.ts'
import { addPause } from './commands/pause.ts'
import { addPending } from './commands/pending.ts'
import { addPermissions } from './commands/permissions.ts'
import { addPermit } from './commands/permit.ts'
import { addPurge } from './commands/purge.ts'
import { addQuestions } from './commands/questions.ts'
import { addRebuild } from './commands/rebuild.ts'
import { addRefuse } from './commands/refuse.ts'
import { addReminders } from './commands/reminders.ts'
import { addRequestSpawn } from './commands/request-spawn.ts'
import { addRequeue } from './commands/requeue.ts'
import { addRestart } from './commands/restart.ts'
import { addResume } from './commands/resume.ts'
import { addRevive } from './commands/revive.ts'
import { addSchedules } from './commands/schedules.ts'
import { addSecret } from './commands/secret.ts'
import { addSend } from './commands/send.ts'
import { addServe } from './commands/serve.ts'
import { addShow } from './commands/show.ts'
import { addSpawn } from './commands/spawn.ts'
import { addStart } from './commands/start.ts'
import { addStatus } from './commands/status.ts'
import { addStop } from './commands/stop.ts'
import { addTail } from './commands/tail.ts'
import { addTombstones } from './commands/tombstones.ts'
import { addUnpark } from './commands/unpark.ts'
import { addUp } from './commands/up.ts'
import { addUsage } from './commands/usage.ts'
import { EXIT } from './exit-code.ts'
import { reportFailure } from './failure.ts'
import { createProcessIo } from './io.ts'

/** Commands that take signals and a lost stdout in their own hands. */
const OWN_SIGNALS = new Set(['up', 'serve', 'approve', 'login'])

/** The commands as the help shows them. */
const GROUPS = [
  { title: 'Run', commands: [addUp, addServe, addOpen, addDoctor] },
  {
    title: 'Agents',
    commands: [
      addList,
      addStatus,
      addSpawn,
      addStart,
      addKill,
      addRestart,
      addRebuild,
      addPause,
      addResume,
      addStop,
      addDestroy,
      addLogin,
      addLogout,
    ],
  },
  {
    title: 'Approvals',
    commands: [addPending, addShow, addApprove, addDeny, addRequestSpawn, addDeploys, addConfig, addAudit, addSecret],
  },
  {
    title: 'Questions',
    commands: [addQuestions, addAnswer, addCancelQuestion, addPermissions, addPermit, addRefuse],
  },
  { title: 'Messages', commands: [addSend, addMessages, addMessage, addRequeue, addDrop, addAllow, addNeeds] },
  { title: 'Turns', commands: [addTail, addLogs, addCancel, addCompact, addNewSession, addModel, addUnpark] },
  { title: 'By the clock', commands: [addSchedules, addReminders, addCancelReminder] },
  { title: 'Money', commands: [addUsage, addMetrics] },
  { title: 'Upkeep', commands: [addTombstones, addRevive, addPurge, addBackup, addNotify] },
  { title: 'More', commands: [addComplete] },
]

/** The operator's command line. Its parse rejects with CommanderError or HiveError; `runProgram` makes exit codes of them. */
export function createProgram(cli: Cli, { json = false }: { json?: boolean } = {}): Command {
  const { io } = cli
  const program = new Command('hive')
    .description('Runs a swarm of sandboxed Claude Code agents on this machine.')
    .version(readPackageVersion())
    .option('--state-dir <directory>', 'where the hive keeps everything (HIVE_STATE_DIR)')
    .option('--run-dir <directory>', 'where its sockets are (HIVE_RUN_DIR)')
    .option('--json', 'print JSON, in the documented shapes')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      // As JSON whoever reports the failure says it.
      writeErr: (text) => {
        if (!json) io.err.write(text)
      },
      outputError: (text, write) => write(text.replace(/^error: /, 'hive: ')),
      getOutHasColors: () => io.out.colors,
      getErrHasColors: () => io.err.colors,
    })
    .exitOverride()
  for (const { title, commands } of GROUPS) {
    program.commandsGroup(`${title}:`)
    for (const add of commands) add(program, cli)
  }
  program.helpCommand('help [command]', 'display help for command')
  program.hook('preAction', (_, command) => {
    if (OWN_SIGNALS.has(command.name())) return
    io.onSignal(['SIGINT'], () => io.exit(EXIT.interrupted))
    io.outputGone.addEventListener('abort', () => io.exit(EXIT.ok))
  })
  return program
}

/** Runs a command line (without node and script). Gives the exit code; says on stderr what went wrong. */
export async function runProgram(
  args: readonly string[],
  deps: Omit<Cli, 'io'> & { readonly io?: Cli['io'] },
): Promise<number> {
  const cli = { ...deps, io: deps.io ?? createProcessIo(process) }
  const json = isJsonWanted(args)
  const program = createProgram(cli, { json })
  try {
    await program.parseAsync(namedByHelp(program, args), { from: 'user' })
    return EXIT.ok
  } catch (error) {
    return reportFailure(error, cli.io, json)
  }
}

/** Also of a command line that cannot be parsed. */
const isJsonWanted = (args: readonly string[]): boolean => {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? undefined : end).includes('--json')
}

/** `help` of a command that there is not: taken as that command, which names the nearest. Commander would print the usage alone. */
function namedByHelp(program: Command, args: readonly string[]): readonly string[] {
  const [first, name] = args
  const isUnknown = first === 'help' && name !== undefined && !program.commands.some((one) => one.name() === name)
  return isUnknown && !name.startsWith('-') ? args.slice(1) : args
}
