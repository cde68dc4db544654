import type { Clock } from '../../kit/clock.ts'
import type { Log } from '../../kit/log.ts'
import { createNotifier } from '../../kit/notifier.ts'
import { START_AFRESH_EXIT_CODE } from '../../wire/agent-ops.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { containerName } from '../../wire/names.ts'
import type { Broker } from '../broker/broker.ts'
import type { ContainerEvent, ContainerRuntime, ContainerStatus, Exit, Incarnation } from '../containers/runtime.ts'
import type { Intervals } from '../intervals.ts'
import type { LoginFiles } from '../logins/login-files.ts'
import type { LoginNews } from '../logins/login-news.ts'
import { type Problem, Problems } from '../problems.ts'
import { type ContainerSettings, specOf } from './container-spec.ts'
import type { Deployments } from './deployments.ts'
import { HarnessLink } from './harness-link.ts'
import type { Holds } from './holds.ts'
import type { Resting } from './memory-watch.ts'
import type { Programs } from './programs.ts'
import type { AgentRegistry, AgentRow } from './registry.ts'
import { decideRestart, type Restart } from './restart-policy.ts'

export interface SupervisorOptions extends Omit<ContainerSettings, 'app'> {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly runtime: ContainerRuntime
  readonly deployments: Pick<Deployments, 'get' | 'find' | 'isOnTrial'>
  readonly loginFiles: Pick<LoginFiles, 'assertOwn'>
  readonly loginNews: Pick<LoginNews, 'isLacking'>
  readonly programs: Pick<Programs, 'of' | 'current'>
  /** A harness is taken for dead when it gave no sign for so long; when it is not even connected, after twice as long. */
  readonly silentMs: number
  readonly intervals: Intervals
  readonly holds: Pick<Holds, 'stopped'>
  /** A container ended that nobody ended; told with every such end. */
  readonly onCrash: (crash: Crash) => Promise<void>
  readonly log: Log
  readonly now: Clock
}

/** Between the end that a harness chose and the next start, so that a harness which always does costs little. */
const AFRESH_MS = 500
const COMMIT = /^[0-9a-f]{40}$/
/** How soon a watch that failed is begun again. */
const WATCH_RETRY_MS = { first: 1_000, longest: 30_000 }

/** Why an agent has no harness. */
export interface Failure {
  readonly detail: string
  /** It is not started again until the operator says so. */
  readonly isFinal: boolean
}

/** The end of a container that nobody asked for. */
export interface Crash {
  readonly agent: string
  readonly incarnation: Incarnation
  /** How it ended. */
  readonly how: string
  /** It is not started again. */
  readonly isFinal: boolean
}

/** An agent that is to run; a new record for each time that somebody wanted it to. */
interface Kept {
  /** The life that its container has, as far as is known: an end of any other is no news. */
  life: Incarnation | undefined
  /** Steady clock: since when that life is known. */
  lifeSince: number
  /** It is being started, or its end is being dealt with. */
  isBusy: boolean
  restart: NodeJS.Timeout | undefined
  /** It was killed, since its harness gave no sign. */
  wasSilent: boolean
  /** Steady clock: when it ended unasked, or could not be started. */
  ends: number[]
  failure: Failure | undefined
}

/** Keeps the containers of agents as they are desired: starts, stops, adopts what runs, starts again what ended unasked. */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions
  readonly #links = new Map<string, HarnessLink>()
  readonly #kept = new Map<string, Kept>()
  /** Whose turn is to be interrupted once its harness is back, and why. */
  readonly #callBacks = new Map<string, string>()
  /** Agents that are being stopped. */
  readonly #stops = new Set<string>()
  readonly #problems = new Problems()
  /** Aborted when nothing is started any more. */
  readonly #stopping = new AbortController()
  readonly #closing = new AbortController()
  /** What goes on by itself, to be waited for at the end. */
  readonly #underWay = new Set<Promise<void>>()
  #isWatching = false
  #heartbeats: NodeJS.Timeout | undefined
  /** Steady clock: the last check of the heartbeats. */
  #checkedAt = 0

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** The daemon's end of an agent's harness. */
  link(agent: string): HarnessLink {
    let link = this.#links.get(agent)
    if (!link) {
      link = new HarnessLink(agent, this.#options.now)
      this.#links.set(agent, link)
    }
    return link
  }

  /** Whether an agent keeps an engine that has nothing to do. A harness of another revision may not know how to let it end. */
  restOf(agent: string): Resting {
    const { programs, broker, now } = this.#options
    const { live } = this.link(agent)
    const isIdle = live?.brain === 'idle' && live.revision === programs.current.revision && !broker.store.holds(agent)
    return { agent, isIdle, since: live?.brainSince ?? now() }
  }

  failure(agent: string): Failure | null {
    return this.#kept.get(agent)?.failure ?? null
  }

  /** What is wrong with the supervision itself; it goes on trying. */
  errors(): Problem[] {
    return this.#problems.list()
  }

  /** Shows an agent that cannot be run as failed, and leaves it alone until somebody starts it. */
  giveUp(agent: string, detail: string): void {
    this.#keep(agent).failure = { detail, isFinal: true }
    this.#options.log.error({ agent, detail }, 'an agent cannot be run')
    this.#options.broker.changes.notify()
  }

  /** Adopts what runs, takes back the leases of what does not, starts what should run, and sees to it from then on. */
  async reconcile(): Promise<void> {
    const { registry, silentMs, now, intervals } = this.#options
    const containers = await this.#listContainers()
    this.#inBackground(this.#watch())
    this.#inBackground(this.#lookAgainAndAgain(intervals.lookMs))
    this.#checkedAt = now()
    this.#heartbeats = setInterval(() => this.#checkHeartbeats(), silentMs / CHECKS)
    await Promise.all(
      registry
        .list()
        .filter(({ name }) => !this.failure(name)?.isFinal)
        .map((row) =>
          this.#noting(`agent ${row.name}`, () => this.#settle(row, containers.get(containerName(row.name)))),
        ),
    )
  }

  async #listContainers(): Promise<Map<string, ContainerStatus>> {
    const statuses = await this.#options.runtime.list()
    const troubled = new Map(statuses.map(({ name, problem }) => [`container ${name}`, problem]))
    for (const { where } of this.#problems.list()) {
      if (where.startsWith('container ') && troubled.get(where) === undefined) this.#problems.clear(where)
    }
    for (const [where, problem] of troubled) if (problem !== undefined) this.#problems.note(where, problem)
    return new Map(statuses.map((status) => [status.name, status]))
  }

  /** What becomes of an agent when the daemon starts. */
  async #settle(row: AgentRow, status: ContainerStatus | undefined): Promise<void> {
    const { broker, log } = this.#options
    const isRunning = status?.state === 'running'
    if (row.desired === 'stopped') {
      if (isRunning) return this.#stopInBackground(row.name)
      return broker.reclaim(row.name, returnedBy(status?.exit))
    }
    const kept = this.#keep(row.name)
    kept.life = status?.incarnation
    if (isRunning) {
      log.info({ agent: row.name }, 'adopted a running container')
      // Its end was about to be asked for, and was not.
      if (row.endedLife === status.incarnation) await this.#options.registry.noteEnded(row.name, null)
      if (this.#runsAnother(row.name, status)) this.#renew(row.name)
      return
    }
    const ended = { agent: row.name, incarnation: kept.life, exit: status?.exit }
    await this.#takeBack(row.name, kept, status?.exit)
    await this.#tryStart(row.name, kept)
    if (isCrash(ended.exit)) await this.#tellOfCrash(ended, kept)
  }

  /** Resolves when the harness of every agent that should run is connected, or after `timeoutMs`. */
  async waitForHellos(timeoutMs: number): Promise<void> {
    const wanted = this.#options.registry.names().filter((name) => this.#kept.has(name) && !this.failure(name)?.isFinal)
    await Promise.all(wanted.map((name) => this.link(name).waitForHello(timeoutMs, this.#closing.signal)))
  }

  /** Starts an agent and keeps it running. Throws when it cannot be started, `unavailable` when nothing is any more. */
  async start(agent: string): Promise<void> {
    this.#assertStarting()
    this.#options.registry.get(agent)
    await this.#startLife(agent, this.#keep(agent))
  }

  /** Waits for the harness of an agent that was started. Throws `timeout` when it did not say hello in time, `unavailable` when it is given up. */
  async waitForHello(agent: string, timeoutMs = 60_000): Promise<void> {
    const isGivenUp = () => this.failure(agent)?.isFinal ?? false
    if (await this.link(agent).waitForHello(timeoutMs, this.#stopping.signal, isGivenUp)) return
    this.#assertStarting()
    const failure = this.failure(agent)
    if (failure?.isFinal) {
      throw new HiveError('unavailable', `${agent} does not run: ${failure.detail}`, { hint: `hive logs ${agent}` })
    }
    throw new HiveError('timeout', `${agent} started, but its harness said nothing for ${timeoutMs / 1000} s`, {
      hint: `hive logs ${agent}`,
    })
  }

  #assertStarting(): void {
    if (!this.#stopping.signal.aborted) return
    throw new HiveError('unavailable', 'the hive is stopping', { hint: 'start it again first' })
  }

  /** From now on it is to run; what was before is forgotten. */
  #keep(agent: string): Kept {
    const before = this.#kept.get(agent)
    this.#letGo(agent)
    const { now } = this.#options
    const kept: Kept = {
      life: before?.life,
      lifeSince: now(),
      isBusy: false,
      restart: undefined,
      wasSilent: false,
      ends: [],
      failure: undefined,
    }
    this.#kept.set(agent, kept)
    return kept
  }

  #letGo(agent: string): void {
    clearTimeout(this.#kept.get(agent)?.restart)
    this.#kept.delete(agent)
  }

  /** Whether it is still wanted, and not anew. */
  #isKept(agent: string, kept: Kept): boolean {
    return this.#kept.get(agent) === kept && !this.#stopping.signal.aborted
  }

  async #startLife(agent: string, kept: Kept): Promise<void> {
    const { registry, runtime, deployments, programs, loginFiles, now } = this.#options
    kept.isBusy = true
    try {
      loginFiles.assertOwn(agent)
      const deployed = deployments.get(agent)
      const { reference, sha } = deployed
      const settings = { ...this.#options, app: programs.of(agent) }
      await runtime.apply(specOf(registry.get(agent), deployed, settings), { reference, revision: sha })
      // Who let go of it in the meantime has stopped it already.
      if (!this.#isKept(agent, kept)) return this.#assertStarting()
      const { incarnation } = await runtime.start(containerName(agent))
      kept.life = incarnation
      kept.lifeSince = now()
      kept.wasSilent = false
      kept.failure = undefined
      if (this.#isKept(agent, kept)) this.admitMail(agent)
    } finally {
      kept.isBusy = false
    }
  }

  /**
   * Opens the inbox of an agent that may have mail: not while a deploy tries another configuration, nor while it is stopped,
   * nor without a login, since no turn could end well. In an emergency stop its turn ends too.
   */
  admitMail(agent: string): void {
    const { registry, broker, deployments, holds, loginNews } = this.#options
    const { ready } = this.link(agent).live ?? {}
    const isStopped = this.#stops.has(agent) || registry.find(agent)?.desired === 'stopped'
    // Until the engine has said how it is now, what was known before holds.
    const lacksLogin = ready ? ready.claude === 'needs_login' : loginNews.isLacking(agent)
    if (deployments.isOnTrial(agent) || isStopped || lacksLogin) broker.closeInbox(agent)
    else broker.openInbox(agent)
    const why = holds.stopped ? 'emergency stop' : this.#callBacks.get(agent)
    if (why !== undefined) this.callBack(agent, why)
  }

  /**
   * Interrupts the turn in progress; its messages come again, uncharged. `late`: also when its harness is not connected now, once it
   * is back.
   */
  callBack(agent: string, why: string, { late = false } = {}): void {
    const link = this.link(agent)
    const messages = this.#options.broker.store.heldIds(agent)
    if (messages.length === 0) return
    if (link.live) link.callBack(messages, why)
    else if (late) this.#callBacks.set(agent, why)
  }

  forgetCallBack(agent: string): void {
    this.#callBacks.delete(agent)
  }

  /** A start that fails counts as an end: it is tried again, later and later. */
  async #tryStart(agent: string, kept: Kept): Promise<void> {
    if (!this.#isKept(agent, kept)) return
    try {
      await this.#startLife(agent, kept)
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      this.#options.log.error({ agent, error: errorText(error) }, 'cannot start a container')
      this.#startLater(agent, kept, `it did not start: ${errorText(error)}`)
    }
  }

  /**
   * Stops an agent: nothing new is delivered, its turn may end, then it is interrupted; `now` skips the wait.
   * What it still held goes back to the queue uncharged.
   */
  async stop(agent: string, { now }: { now: boolean }): Promise<void> {
    await this.#stopContainer(agent, { now })
  }

  /** Stops what runs although it should not; a turn may take its time to end. */
  #stopInBackground(agent: string): void {
    this.#inBackground(this.#noting(`agent ${agent}`, () => this.#stopContainer(agent, { now: false })))
  }

  async #stopContainer(agent: string, { now }: { now: boolean }): Promise<void> {
    this.#stops.add(agent)
    try {
      await this.#endLife(agent, now)
    } finally {
      this.#stops.delete(agent)
    }
  }

  async #endLife(agent: string, now: boolean): Promise<void> {
    const { registry, runtime, broker, intervals } = this.#options
    const life = this.#kept.get(agent)?.life
    // Before it ends: should the daemon die now, its successor does not take that for a crash.
    if (life !== undefined) await registry.noteEnded(agent, life)
    this.#letGo(agent)
    broker.closeInbox(agent)
    const link = this.link(agent)
    if (link.live) {
      const graceMs = now ? 0 : intervals.stopGraceMs
      link.command({ do: 'stop', graceMs })
      await this.#waitForEnd(agent, graceMs + 5_000)
    }
    await runtime.stop(containerName(agent), { graceMs: 5_000 })
    await broker.reclaim(agent, { charge: false, reason: 'stopped' })
  }

  /**
   * Whether a daemon ended in the middle of a deploy or an update, say. Containers of an older hive have no commit, or do not
   * tell their programs: they are left alone.
   */
  #runsAnother(agent: string, { deployment: { revision }, app }: ContainerStatus): boolean {
    const { deployments, programs } = this.#options
    const isOfAnotherCommit = COMMIT.test(revision) && revision !== deployments.find(agent)?.sha
    return isOfAnotherCommit || (app !== undefined && app !== programs.of(agent).revision)
  }

  /** Sees to it that an agent which is to run does so, although it could not be stopped or started just now. */
  keepTrying(agent: string): void {
    const isWanted = this.#options.registry.find(agent)?.desired === 'running'
    if (isWanted && !this.#kept.has(agent) && !this.#stopping.signal.aborted) this.#keep(agent)
  }

  /** Gives an agent a new life with what is deployed, once its turn has ended. */
  #renew(agent: string): void {
    const { registry, log } = this.#options
    log.warn({ agent }, 'it runs with another configuration, or other programs, than it should: it is started again')
    const restart = async () => {
      await this.#stopContainer(agent, { now: false })
      if (registry.find(agent)?.desired === 'running') await this.#tryStart(agent, this.#keep(agent))
    }
    this.#inBackground(this.#noting(`agent ${agent}`, restart))
  }

  async #waitForEnd(agent: string, timeoutMs: number): Promise<void> {
    const link = this.link(agent)
    const until = this.#options.now() + timeoutMs
    while (link.live && this.#options.now() < until && !this.#closing.signal.aborted) {
      await link.changes.wait(until - this.#options.now(), this.#closing.signal)
    }
  }

  /** From now on nothing is started any more, and nobody waits for what was. */
  refuseStarts(): void {
    this.#stopping.abort()
  }

  /** Stops every agent, for good; what is desired stays as it is. Throws when some could not be stopped; the others are. */
  async stopAll({ now }: { now: boolean }): Promise<void> {
    this.refuseStarts()
    const names = this.#options.registry.names()
    const stops = await Promise.allSettled(names.map((agent) => this.#stopContainer(agent, { now })))
    const failures = stops.flatMap((stop, at) =>
      stop.status === 'rejected' ? [`${names[at]}: ${errorText(stop.reason)}`] : [],
    )
    if (failures.length > 0) throw new HiveError('unavailable', `cannot stop ${failures.join('; ')}`)
  }

  /** Gives every agent that runs a new life, since what it was told at hello no longer holds. */
  async restartAll(): Promise<void> {
    const running = [...this.#kept].filter(([, { life }]) => life !== undefined)
    await Promise.all(
      running.map(async ([agent]) => {
        await this.#stopContainer(agent, { now: true })
        // The operator may have stopped it meanwhile.
        if (this.#options.registry.find(agent)?.desired === 'running') await this.#tryStart(agent, this.#keep(agent))
      }),
    )
  }

  async remove(agent: string): Promise<void> {
    await this.stop(agent, { now: false })
    await this.#options.runtime.remove(containerName(agent))
    this.#links.delete(agent)
  }

  /** Begins again whenever it fails; meanwhile `#look` sees what ends. */
  async #watch(): Promise<void> {
    const { runtime, log, now } = this.#options
    const { signal } = this.#closing
    let waitMs = WATCH_RETRY_MS.first
    while (!signal.aborted) {
      const began = now()
      try {
        this.#isWatching = true
        for await (const event of runtime.watch(signal)) this.#inBackground(this.#onEvent(event))
        if (!signal.aborted) throw new HiveError('internal', 'the watch over containers ended')
      } catch (error) {
        this.#isWatching = false
        if (signal.aborted) return // It was told to end.
        log.error({ error: errorText(error) }, 'the watch over containers failed')
        this.#problems.note('the watch over containers', error)
      }
      if (now() - began > WATCH_RETRY_MS.longest) waitMs = WATCH_RETRY_MS.first
      await pause(waitMs, signal)
      waitMs = Math.min(waitMs * 2, WATCH_RETRY_MS.longest)
    }
  }

  async #onEvent({ name, type, incarnation, exit }: ContainerEvent): Promise<void> {
    if (type !== 'exited') return
    for (const [agent, kept] of this.#kept) {
      if (containerName(agent) !== name || kept.life !== incarnation || kept.isBusy) continue
      await this.#noting(`agent ${agent}`, () => this.#onEnd(agent, kept, exit))
    }
  }

  async #lookAgainAndAgain(everyMs: number): Promise<void> {
    const { signal } = this.#closing
    for (;;) {
      await pause(everyMs, signal)
      if (signal.aborted) return
      await this.#noting('the look at containers', () => this.#look())
      if (this.#isWatching) this.#problems.clear('the watch over containers')
    }
  }

  /** Compares what runs with what should: finds ends that nobody told of, and agents that nobody is about to start or stop. */
  async #look(): Promise<void> {
    const before = [...this.#kept].map(([agent, kept]) => ({ agent, kept, life: kept.life }))
    const containers = await this.#listContainers()
    await Promise.all(
      before.map(async ({ agent, kept, life }) => {
        if (!this.#isKept(agent, kept) || kept.isBusy || kept.life !== life) return
        const status = containers.get(containerName(agent))
        if (status?.state === 'running' && status.incarnation === life) {
          if (this.#runsAnother(agent, status) && !this.#stops.has(agent)) this.#renew(agent)
          return
        }
        const exit = status?.incarnation === life ? status?.exit : undefined
        if (life !== undefined) return this.#noting(`agent ${agent}`, () => this.#onEnd(agent, kept, exit))
        if (kept.restart === undefined && !kept.failure?.isFinal) return this.#tryStart(agent, kept)
      }),
    )
    for (const { name, desired } of this.#options.registry.list()) {
      const isRunning = containers.get(containerName(name))?.state === 'running'
      const isUnwanted = desired === 'stopped' && !this.#stops.has(name) && !this.#options.deployments.isOnTrial(name)
      if (isRunning && isUnwanted) this.#stopInBackground(name)
    }
  }

  /** A container ended and nobody asked for it. When this fails, the life stays known, and the next look tries again. */
  async #onEnd(agent: string, kept: Kept, exit: Exit | undefined): Promise<void> {
    this.#options.log.warn({ agent, exit }, 'a container ended unasked')
    const incarnation = kept.life
    await this.#takeBack(agent, kept, exit)
    if (!this.#isKept(agent, kept)) return
    // An end that the harness chose is no crash: the turn that made it necessary was charged.
    if (exit?.code === START_AFRESH_EXIT_CODE) return this.#planStart(agent, kept, AFRESH_MS)
    this.#startLater(agent, kept, describeEnd(kept, exit))
    await this.#tellOfCrash({ agent, incarnation, exit }, kept)
  }

  async #tellOfCrash({ agent, incarnation, exit }: End, kept: Kept): Promise<void> {
    const { registry, deployments, onCrash } = this.#options
    const wasEnded = incarnation === undefined || incarnation === registry.find(agent)?.endedLife
    // What a deploy tries may end; the deploy says so.
    if (wasEnded || deployments.isOnTrial(agent)) return
    const isFinal = kept.failure?.isFinal ?? false
    await onCrash({ agent, incarnation, how: describeEnd(kept, exit), isFinal })
  }

  async #takeBack(agent: string, kept: Kept, exit: Exit | undefined): Promise<void> {
    kept.isBusy = true
    try {
      await this.#options.broker.reclaim(agent, returnedBy(exit))
      kept.life = undefined
    } finally {
      kept.isBusy = false
    }
  }

  #startLater(agent: string, kept: Kept, how: string): void {
    const { now, broker, intervals } = this.#options
    kept.ends.push(now())
    const restart: Restart = decideRestart(kept.ends, now(), intervals)
    if (restart === 'give_up') {
      const detail = `it ended ${kept.ends.length} times in a short while, the last time: ${how}`
      kept.failure = { detail, isFinal: true }
    } else {
      kept.failure = { detail: how, isFinal: false }
      this.#planStart(agent, kept, restart.after)
    }
    this.link(agent).changes.notify()
    broker.changes.notify()
  }

  #planStart(agent: string, kept: Kept, afterMs: number): void {
    clearTimeout(kept.restart)
    if (!this.#isKept(agent, kept)) return
    kept.restart = setTimeout(() => {
      kept.restart = undefined
      this.#inBackground(this.#tryStart(agent, kept))
    }, afterMs)
  }

  /** A harness that gives no sign is killed: its leases return because its container is dead. */
  #checkHeartbeats(): void {
    const { runtime, log, now, silentMs } = this.#options
    const sinceCheck = now() - this.#checkedAt
    this.#checkedAt = now()
    // The daemon itself stood still: what came meanwhile has yet to be read.
    const wasAway = sinceCheck > (2 * silentMs) / CHECKS
    for (const [agent, kept] of this.#kept) {
      if (kept.life === undefined || kept.isBusy) continue
      const link = this.link(agent)
      if (wasAway) {
        kept.lifeSince = now()
        if (link.live) link.live.seenAt = now()
        continue
      }
      const silence = now() - (link.live?.seenAt ?? Math.max(kept.lifeSince, link.goneAt))
      if (silence < (link.live ? silentMs : 2 * silentMs)) continue
      kept.lifeSince = now()
      if (link.live) link.live.seenAt = now()
      log.error({ agent, silence: Math.round(silence) }, 'a harness gave no sign: its container is killed')
      kept.wasSilent = true
      runtime
        .kill(containerName(agent))
        .catch((error: unknown) => log.error({ agent, error: errorText(error) }, 'cannot kill a container'))
    }
  }

  /** Tries something; a failure is logged, and shown until it succeeds. */
  async #noting(where: string, act: () => Promise<void>): Promise<void> {
    try {
      await act()
      this.#problems.clear(where)
    } catch (error) {
      if (this.#closing.signal.aborted) return // What it needs may be gone by now.
      this.#options.log.error({ where, error: errorText(error) }, 'supervision failed, and will try again')
      this.#problems.note(where, error)
    }
  }

  /** `work` never rejects. */
  #inBackground(work: Promise<void>): void {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  /** Lets go of everything; containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.refuseStarts()
    this.#closing.abort()
    clearInterval(this.#heartbeats)
    for (const { restart } of this.#kept.values()) clearTimeout(restart)
    await Promise.all(this.#underWay)
  }
}

/** Resolves after `ms`, or when `signal` aborts. */
const pause = (ms: number, signal: AbortSignal): Promise<void> => createNotifier().wait(ms, signal)

/** Heartbeats are checked so often within the time after which silence counts. */
const CHECKS = 6

/** How a container ended is not known when it ended with the machine; then nobody is to blame. */
const returnedBy = (exit: Exit | undefined) => ({
  charge: exit !== undefined,
  reason: `the container ended: ${describeExit(exit)}`,
})

/** How the life of a container ended, `incarnation` of it where that is known. */
interface End {
  readonly agent: string
  readonly incarnation: Incarnation | undefined
  readonly exit: Exit | undefined
}

/** Of one that ended while no daemon looked: with the machine, or by its own will, is no crash. */
const isCrash = (exit: Exit | undefined): boolean =>
  exit !== undefined && exit.code !== 0 && exit.code !== START_AFRESH_EXIT_CODE

const describeEnd = ({ wasSilent }: Kept, exit: Exit | undefined): string =>
  wasSilent ? 'it gave no sign of life and was killed' : describeExit(exit)

const describeExit = (exit: Exit | undefined): string => {
  if (!exit) return 'for an unknown reason'
  if (exit.oom) return 'out of memory'
  return exit.signal ? `killed by ${exit.signal}` : `exit code ${exit.code}`
}
