import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Database } from '../../kit/sqlite.ts'
import { AGENT_CONFIG_FILE, AgentConfig } from '../../wire/agent-config.ts'
import { HiveError } from '../../wire/errors.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { parseAgentConfig } from '../repositories/agent-config-file.ts'
import type { AppliedRepositories } from '../repositories/applied-repositories.ts'
import type { Secrets } from '../secrets.ts'
import { missingSecrets } from './agent-settings.ts'
import { FIRST_CONFIG } from './first-config.ts'

/** One commit of an agent's configuration, ready to run. */
export interface Deployable {
  readonly sha: string
  /** What the runtime made of it. */
  readonly reference: string
  readonly config: AgentConfig
  /** Its files, mounted into the container. */
  readonly directory: string
}

/** A commit that is `main` of its repository. */
export interface Deployed extends Deployable {
  /** By which it became that; null: it is the first. */
  readonly approval: number | null
}

export interface DeploymentsOptions {
  readonly db: Database
  /** Files of commits are kept here, owned by the daemon. */
  readonly directory: string
  readonly repositories: AppliedRepositories
  readonly runtime: Pick<ContainerRuntime, 'build'>
  readonly secrets: Pick<Secrets, 'get'>
  /** A build that takes longer is ended. */
  readonly buildTimeoutMs: number
  /** Another commit is deployed for an agent. */
  readonly onDeployed?: (agent: string) => void
}

const MAX_CONFIG_BYTES = 256 * 1024

const Stored = z
  .object({
    sha: z.string(),
    reference: z.string(),
    config: z.string().transform((text) => JSON.parse(text)),
    approval: z.number().nullable(),
  })
  .transform((row) => ({ ...row, config: AgentConfig.parse(row.config) }))

/**
 * What each agent runs with: the commit that is `main` of its repository, or, while a deploy tries another, that one. Nothing
 * else takes effect.
 */
export class Deployments {
  readonly #options: DeploymentsOptions
  readonly #deployed = new Map<string, Deployed>()
  readonly #trials = new Map<string, Deployable>()
  readonly #undecodable: Undecodable[] = []

  constructor(options: DeploymentsOptions) {
    this.#options = options
    for (const row of options.db.all('SELECT agent, sha, reference, config, approval FROM deployments')) {
      const agent = String(row.agent)
      try {
        this.#deployed.set(agent, { ...Stored.parse(row), directory: this.#directoryOf(agent, String(row.sha)) })
      } catch (error) {
        // It is built again from its commit.
        this.#undecodable.push({ table: 'deployments', id: agent, problem: String(error) })
      }
    }
  }

  /** Rows that could not be read when the daemon started. */
  get undecodable(): readonly Undecodable[] {
    return this.#undecodable
  }

  #directoryOf(agent: string, sha: string): string {
    return join(this.#options.directory, agent, sha)
  }

  /** What an agent runs with, if it has a configuration at all. */
  find(agent: string): Deployable | undefined {
    return this.#trials.get(agent) ?? this.#deployed.get(agent)
  }

  /** What an agent is to be started with. Throws `unavailable` when it has nothing yet. */
  get(agent: string): Deployable {
    const found = this.find(agent)
    if (found) return found
    throw new HiveError('unavailable', `${agent} has no configuration that could be deployed`, {
      hint: 'hive status says why',
    })
  }

  /** What is deployed, whatever is being tried. */
  deployed(agent: string): Deployed | undefined {
    return this.#deployed.get(agent)
  }

  /**
   * The text of what is deployed, from its commit. `sha` is null before the first deploy, `text` where the commit has no
   * agent.json. Throws `not_found` when the repository is gone.
   */
  async configText(agent: string): Promise<{ sha: string | null; text: string | null }> {
    const sha = this.#deployed.get(agent)?.sha
    if (sha === undefined) return { sha: null, text: null }
    const text = await this.#options.repositories.readFile(agent, sha, AGENT_CONFIG_FILE, MAX_CONFIG_BYTES)
    return { sha, text: text ?? null }
  }

  /** Agents whose configuration refers to a secret. */
  usersOf(secret: string): string[] {
    const refersTo = ({ config }: Deployable) => missingSecrets(config, (name) => name !== secret).length > 0
    const users = [...this.#deployed, ...this.#trials].filter(([, one]) => refersTo(one)).map(([agent]) => agent)
    return [...new Set(users)]
  }

  /** Whether a deploy tries another commit: nothing is delivered to the agent meanwhile. */
  isOnTrial(agent: string): boolean {
    return this.#trials.has(agent)
  }

  /**
   * Makes sure that an agent can be started: it has a repository, with a first commit if it is new, and `main`, which may have
   * moved when a daemon was killed, is built and its files are there. Gives that commit. Throws when it cannot be built.
   */
  async prepare(agent: string): Promise<string> {
    const { repositories } = this.#options
    const sha = await repositories.seed(agent, FIRST_CONFIG, `configuration of ${agent}`)
    const known = this.#deployed.get(agent)
    if (known?.sha === sha && existsSync(known.directory)) return sha
    const built = await this.build(agent, sha, () => {}, new AbortController().signal)
    await this.promote(agent, built, this.#approvalOf(agent, sha))
    return sha
  }

  /** By which a commit became `main`; null for the first. */
  #approvalOf(agent: string, sha: string): number | null {
    const row = this.#options.db.get(
      `SELECT max(id) AS id FROM approvals WHERE agent = ? AND sha = ? AND state IN ('approved', 'deployed')`,
      agent,
      sha,
    )
    return row?.id ? Number(row.id) : null
  }

  /**
   * Builds a commit; touches nothing that runs. Tells `log` what it does. Throws `bad_input` when the configuration is wrong,
   * `timeout` when the build takes too long, and whatever the runtime refuses.
   */
  async build(agent: string, sha: string, log: (line: string) => void, signal: AbortSignal): Promise<Deployable> {
    const { repositories, runtime, secrets, buildTimeoutMs } = this.#options
    const config = parseAgentConfig(await repositories.readFile(agent, sha, AGENT_CONFIG_FILE, MAX_CONFIG_BYTES))
    const missing = missingSecrets(config, (name) => secrets.get(name) !== undefined)
    if (missing.length > 0) {
      throw new HiveError('bad_input', `${AGENT_CONFIG_FILE} names secrets that are not set: ${missing.join(', ')}`, {
        hint: `hive secret set ${missing[0]}`,
      })
    }
    const directory = this.#directoryOf(agent, sha)
    if (!existsSync(directory)) await repositories.extract(agent, sha, directory)
    const ending = new AbortController()
    const timer = sleep(buildTimeoutMs, undefined, { signal: ending.signal }).then(() => {
      throw new HiveError('timeout', `the build took longer than ${buildTimeoutMs / 1000} s`)
    })
    try {
      const building = runtime.build({ agent, directory, revision: sha }, log, AbortSignal.any([signal, ending.signal]))
      const { reference } = await Promise.race([building, timer])
      return { sha, reference, config, directory }
    } finally {
      ending.abort()
      timer.catch(() => {}) // It was ended.
    }
  }

  /** From now on the agent is started with `candidate`, until `promote` or `endTrial`. */
  try(agent: string, candidate: Deployable): void {
    this.#trials.set(agent, candidate)
  }

  /** Back to what is deployed. */
  endTrial(agent: string): void {
    this.#trials.delete(agent)
  }

  /** `candidate` is what is deployed from now on. `approval` is null for the first commit of an agent. */
  async promote(agent: string, { sha, reference, config, directory }: Deployable, approval: number | null) {
    const { db } = this.#options
    await db.write(() =>
      db.run(
        `INSERT INTO deployments VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET sha = excluded.sha,
         reference = excluded.reference, config = excluded.config, approval = excluded.approval, at = excluded.at`,
        agent,
        sha,
        reference,
        JSON.stringify(config),
        approval,
        Date.now(),
      ),
    )
    this.#deployed.set(agent, { sha, reference, config, directory, approval })
    this.endTrial(agent)
    this.#options.onDeployed?.(agent)
  }

  /** Removes the files of commits that the agent does not run with. */
  async prune(agent: string): Promise<void> {
    const home = join(this.#options.directory, agent)
    const inUse = new Set([this.#deployed.get(agent)?.sha, this.#trials.get(agent)?.sha])
    const old = existsSync(home) ? (await readdir(home)).filter((sha) => !inUse.has(sha)) : []
    await Promise.all(old.map((sha) => rm(join(home, sha), { recursive: true })))
  }

  /** Forgets what a purged agent ran with. */
  async forget(agent: string): Promise<void> {
    const { db, directory } = this.#options
    await rm(join(directory, agent), { recursive: true, force: true })
    await db.write(() => db.run('DELETE FROM deployments WHERE agent = ?', agent), { essential: true })
    this.#deployed.delete(agent)
    this.endTrial(agent)
  }
}
