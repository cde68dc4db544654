import { findClaude } from '../../kit/claude-binary.ts'
import { assertUsableGit } from '../../kit/git.ts'
import { run } from '../../kit/run.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { type Check, fail, ok } from './check.ts'

const NODE_MAJOR = 24
const TIMEOUT_MS = 20_000

export function checkNode(version = process.versions.node, path = process.execPath): Check {
  const detail = `${version}, ${path}`
  return Number.parseInt(version, 10) >= NODE_MAJOR
    ? ok('node', detail)
    : fail('node', `${detail}: older than ${NODE_MAJOR}`, 'npm ci brings one, or set HIVE_NODE to one')
}

/** The Claude Code binary that was installed beside this program. */
export async function checkClaude(): Promise<Check> {
  let path: string
  try {
    path = findClaude().path
  } catch (error) {
    if (!(error instanceof HiveError)) throw error
    return fail('claude', error.message, error.hint ?? '')
  }
  const version = await askVersion([path, '--version'])
  return version.ok
    ? ok('claude', `${version.text}, ${path}`)
    : fail('claude', `${path}: ${version.text}`, 'run `npm ci` again')
}

/** A program of the system, by the package of Debian that has it. */
export async function checkTool(name: string, debianPackage: string): Promise<Check> {
  const version = await askVersion([name, '--version'])
  return version.ok ? ok(name, version.text) : fail(name, version.text, `apt-get install ${debianPackage}`)
}

/** Git, and whether it keeps what it was given through a power cut. */
export async function checkGit(assertUsable: () => Promise<void> = assertUsableGit): Promise<Check> {
  const check = await checkTool('git', 'git')
  if (check.status === 'fail') return check
  try {
    await assertUsable()
    return check
  } catch (error) {
    if (!(error instanceof HiveError)) throw error
    return fail('git', error.message, error.hint ?? '')
  }
}

async function askVersion(argv: [string, ...string[]]): Promise<{ ok: boolean; text: string }> {
  try {
    const { exitCode, stdout, stderr } = await run(argv, { timeoutMs: TIMEOUT_MS })
    const text = (exitCode === 0 ? stdout : stderr || stdout).trim().split('\n', 1)[0] ?? ''
    return { ok: exitCode === 0, text: exitCode === 0 ? text : `exits with ${exitCode}: ${text}` }
  } catch (error) {
    return { ok: false, text: errorText(error).split('\n', 1)[0] ?? '' }
  }
}

/** Whether a checkout can bundle what agents run; what was installed has been bundled. */
export function checkBundler(here = import.meta.url, resolve: (name: string) => unknown = import.meta.resolve): Check {
  if (!here.endsWith('.ts')) return ok('bundler', 'not needed, this hive is built')
  try {
    resolve('rolldown')
    return ok('bundler', 'rolldown')
  } catch {
    return fail('bundler', 'rolldown is not installed, and a checkout needs it', 'npm ci, without --omit=dev')
  }
}
