import { Command } from 'commander'
import type { Cli } from './cli.ts'
import { addList } from './commands/list.ts'
import { addMessage } from './commands/message.ts'
import { addMessages } from './commands/messages.ts'
import { addSend } from './commands/send.ts'
import { addServe } from './commands/serve.ts'
import { addSpawn } from './commands/spawn.ts'
import { addStatus } from './commands/status.ts'
import { addUp } from './commands/up.ts'
import { EXIT } from './exit-code.ts'
import { reportFailure } from './failure.ts'
import { createProcessIo } from './io.ts'

/** Commands that take signals and a lost stdout in their own hands. */
const LONG_RUNNING = new Set(['up', 'serve'])

/** The operator's command line. Its parse rejects with CommanderError or HiveError; `runProgram` makes exit codes of them. */
export function createProgram(cli: Cli): Command {
  const { io } = cli
  const program = new Command('hive')
    .description('Runs a swarm of sandboxed Claude Code agents on this machine.')
    .option('--state-dir <directory>', 'where the hive keeps everything (HIVE_STATE_DIR)')
    .option('--run-dir <directory>', 'where its sockets are (HIVE_RUN_DIR)')
    .option('--json', 'print JSON, in the documented shapes')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'hive: ')),
      getOutHasColors: () => io.out.colors,
      getErrHasColors: () => io.err.colors,
    })
    .exitOverride()
  program.hook('preAction', (_, command) => {
    if (LONG_RUNNING.has(command.name())) return
    io.onSignal(['SIGINT'], () => io.exit(EXIT.interrupted))
    io.outputGone.addEventListener('abort', () => io.exit(EXIT.ok))
  })
  for (const add of [addUp, addServe, addSpawn, addList, addStatus, addSend, addMessages, addMessage]) add(program, cli)
  return program
}

/** Runs a command line (without node and script). Gives the exit code; says on stderr what went wrong. */
export async function runProgram(
  args: readonly string[],
  deps: Omit<Cli, 'io'> & { readonly io?: Cli['io'] },
): Promise<number> {
  const cli = { ...deps, io: deps.io ?? createProcessIo(process) }
  const program = createProgram(cli)
  try {
    await program.parseAsync(args, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    return reportFailure(error, cli.io, program.opts().json === true)
  }
}
