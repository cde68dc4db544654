import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { HiveError } from '../../wire/errors.ts'
import type { ContainerRuntime, OpenExec } from '../containers/runtime.ts'

export interface Size {
  readonly cols: number
  readonly rows: number
}

/** A shell with a terminal of its own in a container. */
export interface Shell extends Pick<OpenExec, 'stdin' | 'stdout' | 'ended'>, AsyncDisposable {
  /** Throws `conflict` when the container is down. */
  resize(size: Size): Promise<void>
}

const START_TIMEOUT_MS = 15_000
const MAX_COMPLAINT_BYTES = 1000

/** A fixed script: it sets the size, says which terminal it is on, and becomes the shell. */
const BEGIN = 'stty rows "$HIVE_ROWS" cols "$HIVE_COLS" echo; tty; unset HIVE_ROWS HIVE_COLS; exec bash'

/**
 * Opens a shell. The terminal is made by `script`, from those of the container itself; what it writes begins at its prompt.
 * Throws `conflict` when the container is down, `unavailable` when no shell comes up.
 */
export async function openShell(
  runtime: Pick<ContainerRuntime, 'exec' | 'openExec'>,
  container: string,
  { cols, rows }: Size,
): Promise<Shell> {
  const running = await runtime.openExec(container, [
    ...['env', '-C', '/state', 'TERM=xterm-256color', 'PS1=\\h:\\w\\$ ', `HIVE_ROWS=${rows}`, `HIVE_COLS=${cols}`],
    ...['script', '-qefc', BEGIN, '/dev/null'],
  ])
  try {
    const tty = await readTty(running)
    return {
      stdin: running.stdin,
      stdout: running.stdout,
      ended: running.ended,
      async resize(size) {
        await runtime.exec(container, ['stty', '-F', tty, 'rows', String(size.rows), 'cols', String(size.cols)])
      },
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    }
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }
}

/** The path of the terminal, which is the first line that comes. An agent could write another: it is a terminal in its own sandbox. */
async function readTty({ stdout, stderr, ended }: OpenExec): Promise<string> {
  let complaint = ''
  stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk).slice(0, MAX_COMPLAINT_BYTES)
  })
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(), START_TIMEOUT_MS)
  void ended.then(() => giveUp.abort())
  try {
    const line = await readLine(stdout, giveUp.signal)
    if (/^\/dev\/pts\/\d{1,9}$/.test(line)) return line
    complaint ||= line
  } catch (error) {
    if (!giveUp.signal.aborted) throw error
  } finally {
    clearTimeout(timer)
  }
  throw new HiveError('unavailable', `no shell came up: ${complaint.trim() || 'it said nothing'}`, {
    hint: 'it takes bash, coreutils and bsdutils (script) on this machine',
  })
}

/** The first line of a stream, which goes on after it. Throws when `signal` aborts before it is there. */
async function readLine(stream: Readable, signal: AbortSignal): Promise<string> {
  let head = Buffer.alloc(0)
  for (;;) {
    const chunk: Buffer | null = stream.read()
    if (chunk === null) {
      await once(stream, 'readable', { signal })
      continue
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\n')
    if (end < 0 && head.length < MAX_COMPLAINT_BYTES) continue
    if (end >= 0 && end + 1 < head.length) stream.unshift(head.subarray(end + 1))
    return head
      .subarray(0, end < 0 ? undefined : end)
      .toString('utf8')
      .trimEnd()
  }
}
