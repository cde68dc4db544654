import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isAlive, spawnDetached } from '../kit/detached.ts'
import { HiveError } from '../wire/errors.ts'

const Record = z.object({ pid: z.number(), startTime: z.string(), revision: z.string() })

export interface CompanionOptions {
  readonly name: string
  readonly stateDir: string
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  /** A companion of another revision is replaced. */
  readonly revision: string
  /** Whether it answers. */
  readonly isServing: () => Promise<boolean>
}

const recordFile = (stateDir: string, name: string): string => join(stateDir, `${name}.process.json`)

const START_TIMEOUT_MS = 10_000

/**
 * Sees to it that a process which lives beside the daemon (gateway, scripted model) runs and answers:
 * adopts the one that runs, else starts one. Throws `unavailable` when it does not come up.
 */
export async function ensureCompanion(options: CompanionOptions): Promise<void> {
  const { name, stateDir, argv, env, revision, isServing } = options
  const file = recordFile(stateDir, name)
  const logFile = join(stateDir, `${name}.out`)
  const running = readRecord(file)
  if (running && isAlive(running)) {
    if (running.revision === revision && (await waitUntil(isServing))) return
    await endProcess(running.pid, () => isAlive(running))
  }
  const started = await spawnDetached(argv, { logFile, env })
  writeFileSync(file, JSON.stringify({ ...started, revision }), { mode: 0o600 })
  if (await waitUntil(async () => isAlive(started) && (await isServing()))) return
  throw new HiveError('unavailable', `the ${name} does not come up`, { hint: `see ${logFile}` })
}

/** Ends a companion, if one runs. */
export async function endCompanion({ name, stateDir }: { name: string; stateDir: string }): Promise<void> {
  const file = recordFile(stateDir, name)
  const running = readRecord(file)
  if (running && isAlive(running)) await endProcess(running.pid, () => isAlive(running))
  rmSync(file, { force: true })
}

function readRecord(file: string): z.infer<typeof Record> | undefined {
  try {
    return Record.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined // None was started, or its record is of no use: then a new one is started.
  }
}

async function endProcess(pid: number, isRunning: () => boolean): Promise<void> {
  process.kill(pid, 'SIGTERM')
  if (await waitUntil(async () => !isRunning(), 5_000)) return
  process.kill(pid, 'SIGKILL')
  await waitUntil(async () => !isRunning(), 5_000)
}

async function waitUntil(holds: () => Promise<boolean>, timeoutMs = START_TIMEOUT_MS): Promise<boolean> {
  for (const until = performance.now() + timeoutMs; performance.now() < until; await sleep(25)) {
    if (await holds()) return true
  }
  return false
}
