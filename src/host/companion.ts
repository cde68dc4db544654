import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isAlive, type ProcessId, processId, spawnDetached } from '../kit/detached.ts'
import type { Log } from '../kit/log.ts'
import { createNotifier } from '../kit/notifier.ts'
import { errorText, HiveError } from '../wire/errors.ts'
import { type Problem, Problems } from './problems.ts'

const Record = z.object({ pid: z.number(), startTime: z.string(), revision: z.string() })
type Record = z.infer<typeof Record>

/** Who a companion says it is. */
export interface Identity {
  readonly pid: number
  readonly revision: string
}

export interface CompanionOptions {
  readonly name: string
  readonly stateDir: string
  /** Asked at each start. */
  readonly argv: () => Promise<[string, ...string[]]>
  /** A companion of another revision is replaced. */
  readonly revision: string
  /** Asks the one that answers who it is. Rejects, or never settles, when none does. */
  readonly ask: (signal: AbortSignal) => Promise<Identity>
  /** Called whenever it was started again; when this fails, it is called again. */
  readonly onUp?: () => Promise<void>
  readonly log: Log
  readonly times?: Partial<CompanionTimes>
}

interface CompanionTimes {
  /** How often it is seen whether the process is there. */
  readonly lookMs: number
  /** How often it is asked whether it answers, and how long it may take. */
  readonly askMs: number
  readonly patienceMs: number
  readonly startMs: number
  readonly retryMs: { readonly first: number; readonly longest: number }
}

const TIMES: CompanionTimes = {
  lookMs: 1_000,
  askMs: 10_000,
  patienceMs: 5_000,
  startMs: 10_000,
  retryMs: { first: 1_000, longest: 60_000 },
}

/**
 * A process that lives beside the daemon (gateway, scripted model) and outlives it. It is adopted when it runs, else started;
 * from then on it is started again when it is gone, and replaced when it does not answer.
 */
export class Companion implements AsyncDisposable {
  readonly #options: CompanionOptions
  readonly #times: CompanionTimes
  readonly #closing = new AbortController()
  #watching: Promise<void> = Promise.resolve()
  #process: ProcessId | undefined
  #askedAt = performance.now()
  readonly #problems = new Problems()

  constructor(options: CompanionOptions) {
    this.#options = options
    this.#times = { ...TIMES, ...options.times }
  }

  /** Resolves when it runs and answers. Throws `unavailable` when it does not come up. To be called once. */
  async open(): Promise<void> {
    await this.#ensure()
    this.#watching = this.#watch()
  }

  /** What is wrong with it now. */
  errors(): Problem[] {
    return this.#problems.list()
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing
    const { lookMs, retryMs } = this.#times
    /** Undefined while it is up. */
    let retryAfterMs: number | undefined
    for (;;) {
      await createNotifier().wait(retryAfterMs ?? lookMs, signal)
      if (signal.aborted) return
      try {
        if (retryAfterMs === undefined && (await this.#isWell())) continue
        this.#assertOpen()
        if (retryAfterMs === undefined) await this.#giveUpOn(this.#process)
        retryAfterMs ??= retryMs.first
        await this.#ensure()
        await this.#options.onUp?.()
        retryAfterMs = undefined
        this.#problems.clear(this.#options.name)
      } catch (error) {
        if (signal.aborted) return // Nothing that failed meanwhile means anything.
        this.#complain(errorText(error))
        retryAfterMs = Math.min((retryAfterMs ?? retryMs.first) * 2, retryMs.longest)
      }
    }
  }

  /** Looks whether it is there, and now and then asks whether it answers. */
  async #isWell(): Promise<boolean> {
    const isThere = this.#process !== undefined && isAlive(this.#process)
    if (!isThere) return false
    if (performance.now() - this.#askedAt < this.#times.askMs) return true
    this.#askedAt = performance.now()
    // Twice: the answer to one question may drown in a stall of the daemon itself.
    const answers = (await this.#isServing()) || (await this.#isServing())
    if (answers) this.#record()
    return answers
  }

  async #giveUpOn(former: ProcessId | undefined): Promise<void> {
    this.#complain('it is gone or does not answer')
    if (former) await endProcess(former)
  }

  /** Once it is let go of, silence says nothing about it. */
  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new HiveError('cancelled', 'the daemon ends')
  }

  #complain(problem: string): void {
    const { name, log } = this.#options
    this.#problems.note(name, problem)
    log.error({ companion: name, problem }, 'a companion fails, and is started again')
  }

  /** Whether the very process that was adopted or started answers. */
  async #isServing(): Promise<boolean> {
    if (!this.#process || !isAlive(this.#process)) return false
    return (await this.#ask())?.pid === this.#process.pid
  }

  async #ask(): Promise<Identity | undefined> {
    const patience = AbortSignal.any([AbortSignal.timeout(this.#times.patienceMs), this.#closing.signal])
    try {
      return await this.#options.ask(patience)
    } catch {
      return undefined // Whoever asks decides what follows from it.
    }
  }

  /** Adopts the one that answers or is recorded, else starts one. */
  async #ensure(): Promise<void> {
    const { name, stateDir, revision } = this.#options
    const recorded = readRecord(stateDir, name)
    const answering = await this.#ask()
    this.#assertOpen()
    if (answering?.revision === revision && this.#adopt(answering)) return
    // The record is written after the start: whoever answers may be missing from it.
    const strangers = [answering && processId(answering.pid), recorded].filter((one) => one !== undefined)
    // It may only be slow to come up.
    if (!answering && recorded?.revision === revision && isAlive(recorded) && (await this.#adoptOnceUp(recorded)))
      return
    for (const one of strangers) await endProcess(one)
    await this.#start()
  }

  #adopt({ pid }: Identity): boolean {
    const found = processId(pid)
    if (!found) return false
    this.#process = found
    this.#record()
    return true
  }

  /** Waits until it answers, or has ended. */
  async #adoptOnceUp(starting: ProcessId): Promise<boolean> {
    const until = performance.now() + this.#times.startMs
    while (performance.now() < until && isAlive(starting)) {
      const answering = await this.#ask()
      this.#assertOpen()
      if (answering?.revision === this.#options.revision && this.#adopt(answering)) return true
      await sleep(25)
    }
    return false
  }

  async #start(): Promise<void> {
    const { name, stateDir, argv } = this.#options
    const logFile = companionLog(stateDir, name)
    const env = { PATH: process.env.PATH ?? '/usr/bin:/bin' }
    const started = await spawnDetached(await argv(), { logFile, env })
    this.#process = started
    this.#record()
    if (!(await this.#adoptOnceUp(started))) {
      await endProcess(started)
      throw new HiveError('unavailable', `the ${name} does not come up`, { hint: `see ${logFile}` })
    }
    // Another came up in the meantime, that a daemon before this one had started.
    if (this.#process.pid !== started.pid) await endProcess(started)
  }

  /** Writes down which process it is. On a full disk that fails, and is tried again later: until then it is found by its answer. */
  #record(): void {
    const { name, stateDir, revision, log } = this.#options
    const { pid, startTime } = this.#process ?? {}
    const before = readRecord(stateDir, name)
    if (before?.pid === pid && before?.startTime === startTime) return
    const file = recordFile(stateDir, name)
    try {
      writeFileSync(`${file}.new`, JSON.stringify({ pid, startTime, revision }), { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch (error) {
      log.warn({ companion: name, error: errorText(error) }, 'a companion cannot be recorded')
    }
  }

  /** Lets go of it; it runs on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#watching
  }
}

/** What a companion wrote to stdout and stderr. */
export const companionLog = (stateDir: string, name: string): string => join(stateDir, `${name}.out`)

/** Ends a companion, if one runs. */
export async function endCompanion({ name, stateDir }: { name: string; stateDir: string }): Promise<void> {
  const recorded = readRecord(stateDir, name)
  if (recorded) await endProcess(recorded)
  rmSync(recordFile(stateDir, name), { force: true })
}

const recordFile = (stateDir: string, name: string): string => join(stateDir, `${name}.process.json`)

function readRecord(stateDir: string, name: string): Record | undefined {
  try {
    return Record.parse(JSON.parse(readFileSync(recordFile(stateDir, name), 'utf8')))
  } catch {
    return undefined // None was started, or its record is of no use: it is asked for, or started anew.
  }
}

const END_PATIENCE_MS = 5_000

/** Ends that very process, if it runs. */
async function endProcess(target: ProcessId): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isAlive(target)) return
    process.kill(target.pid, signal)
    for (const until = performance.now() + END_PATIENCE_MS; performance.now() < until && isAlive(target); ) {
      await sleep(25)
    }
  }
}
