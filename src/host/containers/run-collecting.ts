import { once } from 'node:events'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { HiveError } from '../../wire/errors.ts'
import type { ExecOptions, ExecResult } from './runtime.ts'

const TIMEOUT_MS = 60_000
const MAX_BYTES = 1024 * 1024
/** Something that the command left behind may hold its output open for ever: it is not waited for, however much it says. */
const DRAIN_MS = 250
const MAX_DRAINS = 20

/**
 * Runs a command that enters a container, in the environment `env` and nothing of the daemon's: the container could read it.
 * Output beyond `maxBytes` is read and thrown away. Throws `timeout`, when the command and its process group have been killed.
 */
export async function runCollecting(
  [command, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  options: ExecOptions,
): Promise<ExecResult> {
  const { stdin = '', timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = options
  const child = execa(command, args, {
    cwd: '/',
    env,
    extendEnv: false,
    detached: true,
    cleanup: false,
    input: stdin,
    buffer: false,
    reject: false,
  })
  // What it is told must not fail the call: a command need not read its input.
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const [stdout, stderr] = [collect(child.stdout, maxBytes), collect(child.stderr, maxBytes)]
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child.pid as number)
  }, timeoutMs)
  try {
    const [code, signal] = await ended
    await drain([stdout, stderr])
    if (timedOut) throw new HiveError('timeout', `the command took longer than ${timeoutMs} ms`)
    return { code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], stdout: stdout.text(), stderr: stderr.text() }
  } catch (cause) {
    if (cause instanceof HiveError) throw cause
    throw new HiveError('unavailable', `${command} cannot be run`, { hint: 'hive doctor', cause })
  } finally {
    clearTimeout(timer)
    child.stdin.destroy()
    child.stdout.destroy()
    child.stderr.destroy()
    await child
  }
}

/** Resolves when the outputs of a command that has ended are read: when they end, or nothing more comes. */
async function drain(outputs: readonly Output[]): Promise<void> {
  const ended = Promise.all(outputs.map((output) => output.ended)).then(() => true)
  const count = () => outputs.reduce((sum, { bytes }) => sum + bytes(), 0)
  for (let drains = 0; drains < MAX_DRAINS; drains++) {
    const before = count()
    if (await Promise.race([ended, sleep(DRAIN_MS, false)])) return
    // The time may have passed without this process having run: what has come in the meantime is read now.
    await nextTurn()
    if (count() === before) return
  }
}

type Output = ReturnType<typeof collect>

function collect(stream: Readable, maxBytes: number) {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    if (bytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes))
    bytes += chunk.length
  })
  return { ended: once(stream, 'close'), bytes: () => bytes, text: () => Buffer.concat(chunks).toString('utf8') }
}

/** Kills what still runs of the process group that `pid` began. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It ended in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
