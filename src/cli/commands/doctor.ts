import type { Command } from 'commander'
import { hivePaths, loadSettings, Settings } from '../../kit/settings.ts'
import { errorText } from '../../wire/errors.ts'
import { columns } from '../cells.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { type Check, fail, ok, type Patient } from '../doctor/check.ts'
import { Reported } from '../failure.ts'
import { createPaint, type Paint } from '../paint.ts'
import { printableLine } from '../printable.ts'
import { show } from '../show.ts'

type Flags = GlobalFlags & { config?: string; port?: number }

const MARKS = { ok: ['green', '✓'], warn: ['yellow', '!'], fail: ['red', '✗'] } as const

export const addDoctor = (program: Command, cli: Cli): Command =>
  program
    .command('doctor')
    .description('Check every precondition of a hive; name what is missing, and its fix. Needs no daemon.')
    .option('--config <file>', 'config file, instead of the usual place (HIVE_CONFIG)')
    .option('--port <port>', 'port of the dashboard', wholeNumber(1, 65_535))
    .action(async (_, command: Command) => {
      const flags = flagsOf<Flags>(command)
      const checks = await examine(cli, flags)
      const isWell = checks.every(({ status }) => status !== 'fail')
      show(cli, flags, { data: { ok: isWell, checks }, text: () => reportText(checks, createPaint(cli.io.out)) })
      if (!isWell) throw new Reported('something that a hive needs is missing')
    })

async function examine(cli: Cli, flags: Flags): Promise<Check[]> {
  // Other commands do without what these need.
  const [programs, sandbox, places, surroundings] = await Promise.all([
    import('../doctor/programs.ts'),
    import('../doctor/sandbox.ts'),
    import('../doctor/places.ts'),
    import('../doctor/surroundings.ts'),
  ])
  const { settings, check } = readSettings(cli, flags)
  const patient: Patient = { cli, flags, settings }
  const probe = cli.probeSandbox()
  const checks: [name: string, run: () => Check | Promise<Check>][] = [
    ['node', () => programs.checkNode()],
    ['claude', programs.checkClaude],
    ['bundler', () => programs.checkBundler()],
    ['bwrap', () => programs.checkTool('bwrap', 'bubblewrap')],
    ['sandbox', async () => sandbox.checkSandbox(await probe, cli.uid)],
    ['limits', async () => sandbox.checkLimits(await probe)],
    ['git', programs.checkGit],
    ['setpriv', () => programs.checkTool('setpriv', 'util-linux')],
    ['nsenter', () => programs.checkTool('nsenter', 'util-linux')],
    ['prlimit', () => programs.checkTool('prlimit', 'util-linux')],
    ['config', () => check],
    ['state', () => places.checkStateDir(patient)],
    ['run', () => places.checkRunDir(patient)],
    ['disk', () => places.checkFreeSpace(patient)],
    ['sockets', () => places.checkSocketPath(patient)],
    ['credentials', () => surroundings.checkCredentials(patient)],
    ['port', () => surroundings.checkPort(patient)],
    ['daemon', () => surroundings.checkDaemon(patient)],
  ]
  return Promise.all(checks.map(([name, run]) => tryCheck(name, run)))
}

/** A check that cannot be made has failed: the others are still of use. */
async function tryCheck(name: string, run: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await run()
  } catch (error) {
    return fail(name, `cannot be checked: ${errorText(error)}`, 'run hive doctor as the user of the daemon')
  }
}

/** The settings; the defaults, and a complaint, when the config file is wrong. */
function readSettings({ env, uid }: Cli, flags: Flags): { settings: Settings; check: Check } {
  const { stateDir, runDir, config, port } = flags
  try {
    const settings = loadSettings({ stateDir, runDir, config, port }, env, uid)
    return { settings, check: ok('config', 'is readable, or not there') }
  } catch (error) {
    const settings = Settings.parse({ ...hivePaths(flags, env, uid), ...(port && { port }) })
    return { settings, check: fail('config', errorText(error), 'docs/configuration.md has every setting') }
  }
}

function reportText(checks: readonly Check[], paint: Paint): string {
  return columns(
    checks.flatMap(({ name, status, detail, fix }) => {
      const [style, mark] = MARKS[status]
      const line = [paint(style, mark), name, printableLine(detail)]
      return fix ? [line, ['', '', paint('cyan', `fix: ${printableLine(fix)}`)]] : [line]
    }),
  )
}
