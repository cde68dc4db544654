import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { HiveError } from '../wire/errors.ts'
import { isAlive, type ProcessId, processId } from './detached.ts'

export interface GitOptions {
  readonly gitDir: string
  readonly workTree?: string
  /**
   * A directory of objects to be looked at before they may be the repository's: new objects go there, the repository's are
   * read too. What is looked at here may be meant to do harm, so memory is limited.
   */
  readonly quarantine?: string
}

export interface GitRun {
  readonly stdin?: string | Uint8Array
  readonly timeoutMs?: number
  /** More output than this is an error. */
  readonly maxBytes?: number
}

export interface GitResult {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** Git in one repository. */
export interface Git {
  readonly gitDir: string
  /**
   * Runs git to its end, whatever its exit code. Throws `timeout` when it takes longer than `timeoutMs` (30 s) and `too_large`
   * when it says more than `maxBytes` (16 MiB), once it and its process group are killed; `unavailable` when it cannot be run
   * or was killed, and `disk_full`.
   */
  attempt(args: readonly [string, ...string[]], options?: GitRun): Promise<GitResult>
  /** The same, and gives what it says. Throws `internal`, with the end of its complaint, also when it does not succeed. */
  run(args: readonly [string, ...string[]], options?: GitRun): Promise<Buffer>
}

const TIMEOUT_MS = 30_000
const MAX_BYTES = 16 * 1024 * 1024
const MAX_COMPLAINT = 2000
/** A proposal of legal size needs 50 MiB of address space. */
const QUARANTINE_BYTES = 256 * 1024 * 1024
/** The oldest that makes references durable: `core.fsync`. */
const OLDEST = [2, 36] as const

/** By it a later daemon knows what an earlier one left running. */
const MARK = 'HIVE_GIT_DIR'

/**
 * No configuration but this one and the repository's own counts. Nothing is run, nothing fetched, nothing tidied away, and
 * what git says is done is on the disk.
 */
const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.symlinks=false',
  'core.quotePath=true',
  'core.fsync=all',
  'core.fsyncMethod=fsync',
  // Blobs above that are never held in memory as a whole, unless somebody asks for their content.
  'core.bigFileThreshold=1m',
  'pack.threads=1',
  'fastimport.unpackLimit=1',
  'gc.auto=0',
  'maintenance.auto=false',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
].flatMap((setting) => ['-c', setting])

const ENVIRONMENT = {
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: '',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_AUTHOR_NAME: 'hyperhive',
  GIT_AUTHOR_EMAIL: 'hyperhive@localhost',
  GIT_COMMITTER_NAME: 'hyperhive',
  GIT_COMMITTER_EMAIL: 'hyperhive@localhost',
}

/** Git for a repository of the daemon's own, never for one that an agent can write. Throws `unavailable` when it is missing. */
export function createGit({ gitDir, workTree, quarantine }: GitOptions): Git {
  const program = findProgram('git')
  const limits = quarantine === undefined ? [] : [findProgram('prlimit'), `--as=${QUARANTINE_BYTES}`, '--core=0', '--']
  const where = [`--git-dir=${gitDir}`, ...(workTree === undefined ? [] : [`--work-tree=${workTree}`])]
  const argv = [...limits, program, ...CONFIG, ...where] as [string, ...string[]]
  const env = {
    ...ENVIRONMENT,
    PATH: [...new Set(['/usr/bin', '/bin', dirname(program)])].join(delimiter),
    [MARK]: gitDir,
    ...(quarantine !== undefined && {
      GIT_OBJECT_DIRECTORY: quarantine,
      // Quoted: a colon would end the path.
      GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(join(gitDir, 'objects')),
    }),
  }
  const attempt: Git['attempt'] = (args, options) => runGit([...argv, ...args], args[0], env, options)
  return {
    gitDir,
    attempt,
    async run(args, options) {
      const { exitCode, stdout, stderr } = await attempt(args, options)
      if (exitCode === 0) return stdout
      throw new HiveError('internal', `git ${args[0]} failed with ${exitCode}: ${stderr}`)
    },
  }
}

/** Throws `unavailable` when git is missing, or too old to keep what it was given through a power cut. */
export async function assertUsableGit(): Promise<void> {
  const said = String(await createGit({ gitDir: '/nonexistent' }).run(['version']))
  const [major = 0, minor = 0] = (said.match(/\d+/g) ?? []).map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  throw new HiveError('unavailable', `${said.trim()} is too old`, { hint: `install git ${OLDEST.join('.')} or newer` })
}

/**
 * Kills every git that a daemon which is no more left running in a repository below `directory`, and resolves when they are
 * gone: nothing else may write there.
 */
export async function endLeftGits(directory: string): Promise<void> {
  const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isGitBelow(directory, name))
  const processes = left.map((pid) => processId(Number(pid))).filter((found): found is ProcessId => !!found)
  for (const { pid } of processes) killGroup(pid)
  while (processes.some(isAlive)) await sleep(5)
}

function isGitBelow(directory: string, pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .some((entry) => entry.startsWith(`${MARK}=${directory}/`))
  } catch {
    return false // It has ended, or is somebody else's.
  }
}

function findProgram(name: string): string {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin'].filter((place) =>
    place.startsWith('/'),
  )
  const found = places.map((place) => join(place, name)).find((path) => existsSync(path) && isExecutable(path))
  if (found) return found
  throw new HiveError('unavailable', `${name} is not installed`, {
    hint: `apt install ${name === 'prlimit' ? 'util-linux' : name}`,
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** By hand, since execa costs a millisecond more, and a deploy runs git a dozen times. */
async function runGit(
  [program, ...args]: readonly string[],
  subcommand: string,
  env: Record<string, string>,
  { stdin = '', timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES }: GitRun = {},
): Promise<GitResult> {
  // A process group of its own: an interrupt from the terminal is not meant for it.
  const child = spawn(program as string, args, { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  const stdout: Buffer[] = []
  let bytes = 0
  let complaint = ''
  let ended: HiveError | undefined
  const end = (error: HiveError) => {
    ended ??= error
    if (child.pid !== undefined) killGroup(child.pid)
  }
  const timer = setTimeout(
    () => end(new HiveError('timeout', `git ${subcommand} took longer than ${timeoutMs} ms`)),
    timeoutMs,
  )
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBytes) end(new HiveError('too_large', `git ${subcommand} says more than ${maxBytes} bytes`))
    else stdout.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-MAX_COMPLAINT)
  })
  child.stdin.on('error', () => {}) // It need not read to the end what it refuses.
  child.stdin.end(stdin)
  try {
    const [code, signal] = await whenClosed(child)
    if (ended) throw ended
    if (code === null) throw new HiveError('unavailable', `git ${subcommand} was killed by ${signal}`)
    const stderr = complaint.trim().replaceAll(/\s*\n\s*/g, '; ')
    if (stderr.includes('No space left on device')) throw new HiveError('disk_full', `git ${subcommand}: ${stderr}`)
    return { exitCode: code, stdout: Buffer.concat(stdout), stderr }
  } finally {
    clearTimeout(timer)
  }
}

function whenClosed(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('close', (code, signal) => resolve([code, signal]))
    child.once('error', (cause) => reject(new HiveError('unavailable', `cannot run git: ${cause.message}`, { cause })))
  })
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It ended in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
