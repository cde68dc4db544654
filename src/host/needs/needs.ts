import type { Notifier } from '../../kit/notifier.ts'
import type { Account } from '../../wire/money.ts'
import type { Permission } from '../../wire/permissions.ts'
import type { Question } from '../../wire/questions.ts'
import type { Paused } from '../../wire/supervision.ts'
import type { Agent, Need } from '../../wire/things.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import type { Approvals } from '../approvals/approvals.ts'
import type { Store } from '../broker/store.ts'
import { needsOfAccount, needsOfAgent, type Undated } from './needs-of-agent.ts'

/** Who knows of something that waits for the operator. Each says what waits now, and forgets what does not. */
export interface NeedSources {
  readonly store: Pick<Store, 'deadLetters' | 'countDeadLetters' | 'pausedChains'>
  readonly approvals: Pick<Approvals, 'list' | 'countPending'>
  readonly agents: () => readonly Agent[]
  /** Those that are open. */
  readonly questions: () => readonly Question[]
  /** Those that are pending. */
  readonly permissions: () => readonly Permission[]
  /** Agents that could not be put on the current programs. */
  readonly failedUpdates: () => readonly { agent: string; since: number; detail: string }[]
  /** Of all agents together. */
  readonly account: () => Account | null
  readonly stopped: () => Paused | null
  readonly lowDisk: () => { since: number; detail: string } | null
  /** Rows of any table. */
  readonly undecodable: () => Promise<readonly Undecodable[]>
}

/** As many approvals as are listed. */
const MOST_APPROVALS = 1000

const brief = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

/** Agents may ask for much: the list says what it is about, and `questions` has the whole. */
const briefQuestion = (question: Question): Question => ({
  ...question,
  question: brief(question.question, 1_000),
  options: question.options.map((option) => brief(option, 100)),
})

/** Everything that waits for the operator. Nothing of it is stored: what no longer waits is not there. */
export class Needs {
  readonly #sources: NeedSources
  readonly #now: () => number
  /** When things that have no time of their own were seen first, by key. */
  readonly #seen = new Map<string, number>()
  /** The list may have changed. */
  readonly changes: Notifier

  constructor(sources: NeedSources, changes: Notifier, now: () => number = Date.now) {
    this.#sources = sources
    this.changes = changes
    this.#now = now
  }

  /** Oldest first. */
  async list(): Promise<Need[]> {
    const { store, approvals, ...sources } = this.#sources
    const [dead, chains, rows] = await Promise.all([store.deadLetters(), store.pausedChains(), sources.undecodable()])
    const open = approvals.list({ all: false, limit: MOST_APPROVALS })
    const account = sources.account()
    const stopped = sources.stopped()
    const lowDisk = sources.lowDisk()
    const undated: Undated[] = [
      ...dead.messages.map(
        (message): Undated => ({
          kind: 'dead_letter',
          key: `dead_letter:${message.id}`,
          link: `/messages/${message.id}`,
          since: message.doneAt ?? message.sentAt,
          message,
          actions: [`hive requeue ${message.id}`, `hive drop ${message.id}`],
        }),
      ),
      ...chains.map(
        (chain): Undated => ({
          kind: 'paused_chain',
          key: `paused_chain:${chain.rootId}`,
          link: `/messages/${chain.rootId}`,
          ...chain,
          actions: [`hive allow ${chain.rootId}`, `hive allow ${chain.rootId} --stop`],
        }),
      ),
      ...open.approvals
        .filter(({ state }) => state !== 'approved')
        .map(
          (approval): Undated => ({
            kind: 'approval',
            key: `approval:${approval.id}`,
            link: `/approvals/${approval.id}`,
            since: approval.requestedAt,
            approval,
            actions: ['show', 'approve', 'deny'].map((verb) => `hive ${verb} ${approval.id}`),
          }),
        ),
      ...sources.questions().map(
        (question): Undated => ({
          kind: 'question',
          key: `question:${question.id}`,
          link: `/a/${question.asker}`,
          since: question.askedAt,
          question: briefQuestion(question),
          actions: [`hive answer ${question.id}`, `hive cancel-question ${question.id}`],
        }),
      ),
      ...sources.permissions().map(
        (permission): Undated => ({
          kind: 'permission',
          key: `permission:${permission.id}`,
          link: `/a/${permission.agent}`,
          since: permission.askedAt,
          permission: { ...permission, input: brief(permission.input, 1_000) },
          actions: [`hive permit ${permission.id}`, `hive refuse ${permission.id}`],
        }),
      ),
      ...sources.failedUpdates().map(
        ({ agent, since, detail }): Undated => ({
          kind: 'update_failed',
          key: `update_failed:${agent}`,
          link: `/a/${agent}`,
          since,
          agent,
          detail,
          actions: [`hive logs ${agent}`, `hive rebuild ${agent}`],
        }),
      ),
      ...sources.agents().flatMap(needsOfAgent),
      ...(account ? needsOfAccount(account, '*') : []),
      ...(stopped
        ? [{ kind: 'stopped' as const, key: 'stopped', link: '/', ...stopped, actions: ['hive resume --all'] }]
        : []),
      ...(lowDisk
        ? [{ kind: 'low_disk' as const, key: 'low_disk', link: '/', ...lowDisk, actions: ['hive tombstones'] }]
        : []),
      ...[...rows, ...dead.errors, ...open.errors].map(
        (row): Undated => ({ kind: 'undecodable', key: keyOfRow(row), link: '/', row, actions: [] }),
      ),
    ]
    return this.#date(undated)
  }

  /** A row that several of them could not read is there once. */
  #date(undated: readonly Undated[]): Need[] {
    const needs = new Map<string, Need>()
    for (const need of undated) needs.set(need.key, { ...need, since: need.since ?? this.#firstSeen(need.key) } as Need)
    for (const key of this.#seen.keys()) if (!needs.has(key)) this.#seen.delete(key)
    return [...needs.values()].sort((a, b) => a.since - b.since)
  }

  #firstSeen(key: string): number {
    const since = this.#seen.get(key) ?? this.#now()
    this.#seen.set(key, since)
    return since
  }

  /** How many there are, without reading them. */
  async count(agents: readonly Agent[] = this.#sources.agents()): Promise<number> {
    const { store, approvals, ...sources } = this.#sources
    const [dead, chains, rows] = await Promise.all([
      store.countDeadLetters(),
      store.pausedChains(),
      sources.undecodable(),
    ])
    const account = sources.account()
    const others = [
      chains,
      rows,
      sources.questions(),
      sources.permissions(),
      sources.failedUpdates(),
      agents.flatMap(needsOfAgent),
      account ? needsOfAccount(account, '*') : [],
      [sources.stopped(), sources.lowDisk()].filter((one) => one !== null),
    ]
    return others.reduce((sum, { length }) => sum + length, dead + approvals.countPending())
  }

  /** Rows that cannot be read, and since when (unix ms) that is known. */
  async undecodable(): Promise<(Undecodable & { since: number })[]> {
    const rows = await this.#sources.undecodable()
    return rows.map((row) => ({ ...row, since: this.#firstSeen(keyOfRow(row)) }))
  }
}

const keyOfRow = ({ table, id }: Undecodable): string => `undecodable:${table}:${id}`
