import { once } from 'node:events'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { HiveError } from '../../wire/errors.ts'
import type { ExecOptions, ExecResult } from './runtime.ts'

const TIMEOUT_MS = 60_000
const MAX_BYTES = 1024 * 1024
/** Something that the command left behind may hold its output open for ever: it is not waited for. */
const DRAIN_MS = 250

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
    await Promise.race([Promise.all([stdout.ended, stderr.ended]), sleep(DRAIN_MS)])
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

function collect(stream: Readable, maxBytes: number) {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    if (bytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes))
    bytes += chunk.length
  })
  return { ended: once(stream, 'close'), text: () => Buffer.concat(chunks).toString('utf8') }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It ended in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
