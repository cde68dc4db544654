import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { HiveError } from '../../wire/errors.ts'
import type { RepositoryPlaces } from './places.ts'

export interface GitOptions {
  readonly stdin?: string
  /** Default 30 s. */
  readonly timeoutMs?: number
  /** Of stdout; default 4 MiB. */
  readonly maxBytes?: number
}

export interface GitResult {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: string
}

const TIMEOUT_MS = 30_000
const MAX_BYTES = 4 * 1024 * 1024
const MAX_STDERR_BYTES = 64 * 1024
/** Something that git left behind may hold its output open for ever. */
const DRAIN_MS = 500

/** What the manager set up in a clone is for its own git: ours runs none of it, and does not tidy up behind its back. */
const OURS = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'gc.auto=0'].flatMap((setting) => ['-c', setting])

/** Git in the manager's sandbox, as the manager, with the manager's config. */
export class Git {
  readonly #places: RepositoryPlaces

  constructor(places: RepositoryPlaces) {
    this.#places = places
  }

  /**
   * Runs git in `directory` and gives what came of it, whatever the exit code. Throws `unavailable` when git cannot be
   * started; `timeout` and `too_large` when git and its process group had to be killed.
   */
  async attempt(directory: string, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
    const { stdin = '', timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = options
    const name = `git ${args[0]}`
    const child = spawn('git', [...OURS, '-C', directory, ...args], { env: this.#env(), detached: true, stdio: 'pipe' })
    const broken = Promise.withResolvers<never>()
    const breakOff = (error: HiveError): void => {
      killGroup(child.pid)
      broken.reject(error)
    }
    const timer = setTimeout(
      () => breakOff(new HiveError('timeout', `${name} took longer than ${timeoutMs} ms in ${directory}`)),
      timeoutMs,
    )
    child.once('error', (cause) =>
      broken.reject(new HiveError('unavailable', `git cannot be run: ${cause.message}`, { cause })),
    )
    // It need not read what it is told; its exit is what counts.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    const stdout = collect(child.stdout, maxBytes, () =>
      breakOff(new HiveError('too_large', `${name} gives more than ${maxBytes} bytes`)),
    )
    const stderr = collect(child.stderr, MAX_STDERR_BYTES)
    const closed = once(child, 'close').catch(() => {}) // Told by `error` above.
    const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 128)))
    try {
      const exitCode = await Promise.race([exited, broken.promise])
      await Promise.race([closed, broken.promise, sleep(DRAIN_MS, undefined, { ref: false })])
      return { exitCode, stdout: stdout(), stderr: stderr().toString('utf8') }
    } finally {
      clearTimeout(timer)
      child.stdout.destroy()
      child.stderr.destroy()
    }
  }

  /** Runs git in `directory` and gives its stdout; throws also when it fails. */
  async run(directory: string, args: readonly string[], options?: GitOptions): Promise<Buffer> {
    const { exitCode, stdout, stderr } = await this.attempt(directory, args, options)
    if (exitCode === 0) return stdout
    const lines = stderr.trim().split('\n')
    // What follows it is advice.
    const why = lines.find((line) => line.startsWith('fatal: ')) ?? (lines.at(-1) || `exit code ${exitCode}`)
    throw new HiveError('unavailable', `git ${args[0]} failed in ${directory}: ${why}`)
  }

  #env(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: this.#places.home,
      LC_ALL: 'C.UTF-8',
      GIT_TERMINAL_PROMPT: '0',
      // A clone whose .git is broken must not be taken for a part of what is around it.
      GIT_CEILING_DIRECTORIES: this.#places.proposed,
      // Whatever a remote is rewritten to, nothing but local repositories is fetched from.
      GIT_ALLOW_PROTOCOL: 'file',
      // The daemon sees the objects that are there, not those that stand in for them.
      GIT_NO_REPLACE_OBJECTS: '1',
    }
  }
}

/** Gives what came; `onMore` is told once that more than `maxBytes` did, and that is thrown away. */
function collect(stream: Readable, maxBytes: number, onMore: () => void = () => {}): () => Buffer {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    const room = maxBytes - bytes
    if (room >= 0 && chunk.length > room) onMore()
    if (room > 0) chunks.push(chunk.subarray(0, room))
    bytes += chunk.length
  })
  return () => Buffer.concat(chunks)
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It ended in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
