import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText, HiveError } from '../../src/wire/errors.ts'
import type { Agent, Message } from '../../src/wire/things.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import {
  chooseDisturbance,
  type Disturbance,
  daemonDeath,
  disturbances,
  findProcesses,
  relieve,
} from './disturbances.ts'
import { Random } from './random.ts'
import { type Job, nextJob } from './workload.ts'

export interface SoakOptions {
  readonly seconds: number
  readonly agents: number
  readonly seed: number
  readonly log?: (line: string) => void
}

export interface SoakReport {
  readonly sent: number
  readonly done: number
  readonly dead: number
  readonly disturbed: Readonly<Record<string, number>>
  /** What must not be: empty when the hive held. */
  readonly problems: readonly string[]
  /** Resident memory of the daemon in MiB, over the part of the run in which it was not killed. */
  readonly daemonMiB: readonly number[]
}

/** How much faster the daemon's own waiting times run: a day of them in twenty minutes. */
const SPEEDUP = 72
/** The part of the run in which the daemon is killed as well; after it, its memory is watched. */
const DEADLY_PART = 0.4
/** When nothing disturbs any more, some of the mail is to be dealt with within each such time, until none is left. */
const PATIENCE_MS = 120_000
/** So many messages may wait for each agent before more are sent: a hive in trouble works slowly. */
const MOST_WAITING = 8
const MOST_AT_ONCE = 4
/** How long what was killed may take to be gone. */
const LAST_BREATH_MS = 10_000
/** Ends of a message that disturbances may cause: each of them was charged, or the operator's act. */
const VIOLENT_ENDS = ['crash', 'hang', 'the container ended', 'the harness was started again']

/**
 * Lets a hive of real agents work while everything that can go wrong does, calms down, and looks at what is left.
 * The same seed disturbs in the same order.
 */
export async function soak({ seconds, agents: count, seed, log = () => {} }: SoakOptions): Promise<SoakReport> {
  const random = new Random(seed)
  const hive = await startTestHive({
    agentEnv: { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-test' },
    speedup: SPEEDUP,
    hangSeconds: Math.ceil(900 / SPEEDUP),
    keepWarmSeconds: 600 / SPEEDUP,
    silentSeconds: 5,
  })
  const namespaces = new Set<string>()
  const report = await (async () => {
    await using _ = hive
    const names = Array.from({ length: count }, (_, at) => `agent-${at + 1}`)
    const host = await hive.host()
    await Promise.all(names.map((name) => host.spawn({ name })))
    const run = new Run(hive, names, random, log)
    await run.disturb(seconds)
    const problems = await run.calm()
    for (const namespace of run.namespaces) namespaces.add(namespace)
    return { ...run.figures(), problems }
  })()
  const orphans = await orphansIn(namespaces)
  return { ...report, problems: [...report.problems, ...orphans.map((process) => `a process is left: ${process}`)] }
}

class Run {
  readonly #hive: TestHive
  readonly #agents: readonly string[]
  readonly #random: Random
  readonly #log: (line: string) => void
  readonly #sent = new Map<number, Job>()
  readonly #disturbed: Record<string, number> = {}
  readonly #daemonMiB: number[] = []
  #ended = { done: 0, dead: 0 }
  readonly #underWay = new Set<Promise<void>>()
  #isDaemonAway = false
  #failure: unknown
  /** Process namespaces of the sandboxes that there were. */
  readonly namespaces = new Set<string>()

  constructor(hive: TestHive, agents: readonly string[], random: Random, log: (line: string) => void) {
    this.#hive = hive
    this.#agents = agents
    this.#random = random
    this.#log = log
  }

  figures() {
    return { sent: this.#sent.size, ...this.#ended, disturbed: this.#disturbed, daemonMiB: this.#daemonMiB }
  }

  /** Work and disturbances, side by side. */
  async disturb(seconds: number): Promise<void> {
    const began = performance.now()
    const elapsed = () => (performance.now() - began) / 1000 / seconds
    const pace = Math.max(0.5, Math.min(3, seconds / 60))
    while (elapsed() < 1) {
      await this.#send(1 + this.#random.below(3))
      const isDeadly = elapsed() < DEADLY_PART
      this.#disturbOnce(isDeadly)
      this.#noteNamespaces()
      // The last daemon that was killed may be on its way back.
      if (!isDeadly && !this.#isDaemonAway) this.#daemonMiB.push(residentMiB(this.#hive.daemonPid()))
      await sleep(1000 * pace * this.#random.next())
    }
    await Promise.all(this.#underWay)
    if (this.#failure) throw this.#failure
  }

  async #send(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      const to = this.#random.one(this.#agents)
      const job = nextJob(this.#random, this.#agents, this.#sent.size + 1)
      try {
        const host = await this.#hive.host()
        if ((await host.status({})).messages.queued >= MOST_WAITING * this.#agents.length) return
        const { id } = await host.send({ to, body: job.body })
        this.#sent.set(id, job)
      } catch (error) {
        if (!isExpected(error)) throw error
      }
    }
  }

  /** Several at a time: they get in each other's way, as they do in life. */
  #disturbOnce(withDaemon: boolean): void {
    if (this.#underWay.size >= MOST_AT_ONCE) return
    const agent = this.#random.one(this.#agents)
    const what = chooseDisturbance(disturbances({ withDaemon: withDaemon && !this.#isDaemonAway }), this.#random)
    this.#disturbed[what.name] = (this.#disturbed[what.name] ?? 0) + 1
    const work = this.#act(what, agent).catch((error: unknown) => {
      this.#failure ??= error
    })
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  async #act(what: Disturbance, agent: string): Promise<void> {
    if (what === daemonDeath) this.#isDaemonAway = true
    try {
      await what.act(this.#hive, agent, this.#random)
      this.#log(`${what.name}: ${agent}`)
    } catch (error) {
      // Its target is just starting or stopping, or is gone: part of the game.
      if (!isExpected(error)) throw new Error(`${what.name} of ${agent}: ${errorText(error)}`, { cause: error })
      this.#log(`${what.name}: ${agent}: ${errorText(error)}`)
    } finally {
      if (what === daemonDeath) this.#isDaemonAway = false
    }
  }

  #noteNamespaces(): void {
    for (const agent of this.#agents) {
      const harness = findProcesses(this.#hive, agent)?.harness
      try {
        if (harness) this.namespaces.add(readlinkSync(`/proc/${harness}/ns/pid`))
      } catch {
        // It has just ended.
      }
    }
  }

  /** Nothing disturbs any more; whoever shows why it waits is helped. Gives what does not come to an end, and what is wrong. */
  async calm(): Promise<string[]> {
    this.#log('calm')
    let until = performance.now() + PATIENCE_MS
    let least = Number.POSITIVE_INFINITY
    const host = await this.#hive.host()
    this.#hive.model.forgive()
    for (;;) {
      const { agents, messages } = await host.status({})
      for (const agent of agents) {
        const done = await relieve(host, agent).catch((error: unknown) => {
          if (!isExpected(error)) throw error
        })
        if (done) this.#log(`${done}: ${agent.name}`)
      }
      const left = messages.queued + messages.leased
      if (left < least) until = performance.now() + PATIENCE_MS
      least = Math.min(least, left)
      const isOver = left === 0 && agents.every(isAtRest)
      if (isOver || performance.now() > until) return this.#judge(agents, isOver)
      await sleep(200)
    }
  }

  async #judge(agents: readonly Agent[], isOver: boolean): Promise<string[]> {
    const host = await this.#hive.host()
    const { errors } = await host.status({})
    const problems: string[] = errors.map(({ where, problem }) => `${where}: ${problem}`)
    for (const agent of agents) {
      if (isAtRest(agent)) continue
      const { name, state, unread, operation, detail, turn } = agent
      problems.push(`${name} is ${state}: ${JSON.stringify({ unread, operation, detail, turn })}`)
    }
    for (const [id, job] of this.#sent) problems.push(...this.#judgeMessage((await host.message({ id })).message, job))
    if (!isOver && problems.length === 0) problems.push('the mail was not dealt with in time')
    return problems
  }

  #judgeMessage({ id, state, error, failures }: Message, { body, mayDie }: Job): string[] {
    if (state === 'done') {
      this.#ended.done += 1
      return []
    }
    const reasons = [...(mayDie ? [mayDie] : []), ...VIOLENT_ENDS]
    const isExplained = state === 'dead' && reasons.some((reason) => error?.includes(reason))
    if (state === 'dead') this.#ended.dead += 1
    return isExplained ? [] : [`message ${id} (${body}) is ${state} after ${failures} failures: ${error}`]
  }
}

const isAtRest = ({ state, operation }: Agent): boolean => state === 'idle' && operation === null

const EXPECTED = ['conflict', 'timeout', 'unreachable', 'unavailable', 'not_found']

function isExpected(error: unknown): boolean {
  if (error instanceof HiveError) return EXPECTED.includes(error.code)
  const { code } = error as NodeJS.ErrnoException
  return code === 'ESRCH' || code === 'ENOENT'
}

const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

/** What does not go away although its sandbox has ended. */
async function orphansIn(namespaces: ReadonlySet<string>): Promise<string[]> {
  const until = performance.now() + LAST_BREATH_MS
  for (;;) {
    const left = processesIn(namespaces)
    if (left.length === 0 || performance.now() > until) return left
    await sleep(100)
  }
}

/** Command lines of the processes that live in one of these namespaces. */
function processesIn(namespaces: ReadonlySet<string>): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!namespaces.has(readlinkSync(`/proc/${pid}/ns/pid`))) return []
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`]
      } catch {
        return [] // It has ended.
      }
    })
}
