import { chmod, mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { flush } from '../../kit/flush.ts'
import { createGit, endLeftGits, type Git } from '../../kit/git.ts'
import { createMutex } from '../../kit/mutex.ts'
import { AgentConfig } from '../../wire/agent-config.ts'
import { removeLeftovers } from './left-locks.ts'
import { MAIN, readRef } from './refs.ts'

const DEPLOYMENTS = 'deployments.json'
const SCHEMA = 'agent.schema.json'

const Deployment = z.object({
  sha: z.string(),
  /** What the runtime made of the commit. */
  artifact: z.string(),
  /** Of the approval; null where none was needed. */
  approval: z.number().nullable(),
})
type Deployment = z.infer<typeof Deployment>
const DeploymentsFile = z.object({ agents: z.record(z.string(), Deployment) })

/**
 * What is deployed in the whole swarm, as files that everybody may read, with a commit for each deploy that succeeded. Beside
 * it the schema of `agent.json`.
 */
export class MetaRepository {
  readonly #directory: string
  readonly #git: Git
  readonly #mutex = createMutex()
  /** As in the last commit. */
  #committed: Readonly<Record<string, Deployment>> = {}

  constructor({ directory }: { directory: string }) {
    this.#directory = directory
    this.#git = createGit({ gitDir: join(directory, '.git'), workTree: directory })
  }

  /** Makes the repository if there is none, else puts right what an earlier daemon left half done. Call it before the others. */
  open(): Promise<void> {
    return this.#mutex(async () => {
      const { gitDir } = this.#git
      await endLeftGits(this.#directory)
      await mkdir(gitDir, { recursive: true })
      await removeLeftovers(gitDir)
      const isNew = (await readRef(gitDir, MAIN)) === undefined
      if (isNew) await this.#git.run(['init', '--quiet', '--shared=0644', '--initial-branch=main', '--template='])
      else {
        await this.#git.run(['reset', '--quiet'])
        this.#committed = await this.#readCommitted()
      }
      await this.#write(DEPLOYMENTS, textOf(this.#committed))
      await this.#write(SCHEMA, schemaText())
      if (!isNew && (await this.#isCommitted())) return
      await this.#git.run(['add', '--', DEPLOYMENTS, SCHEMA])
      await this.#commit(isNew ? 'begin' : 'update the schema of agent.json')
    })
  }

  async #readCommitted() {
    const text = String(await this.#git.run(['cat-file', 'blob', `${MAIN}:${DEPLOYMENTS}`]))
    return DeploymentsFile.parse(JSON.parse(text)).agents
  }

  async #isCommitted(): Promise<boolean> {
    return (await this.#git.run(['status', '--porcelain', '--untracked-files=no'])).length === 0
  }

  /** Nothing is noted while `action` goes on. */
  hold<T>(action: () => Promise<T>): Promise<T> {
    return this.#mutex(action)
  }

  /** Notes a deploy that succeeded, with one commit; does nothing when that is noted already. */
  record(agent: string, { tag, ...deployment }: Deployment & { tag: string }): Promise<void> {
    return this.#mutex(async () => {
      const known = this.#committed[agent]
      if (known && JSON.stringify(Deployment.parse(deployment)) === JSON.stringify(Deployment.parse(known))) return
      const agents = { ...this.#committed, [agent]: Deployment.parse(deployment) }
      await this.#replace(agents, `deploy ${agent} ${tag} ${deployment.sha.slice(0, 12)}`)
    })
  }

  /** Notes that an agent was destroyed; does nothing when it is not noted as deployed. */
  forget(agent: string): Promise<void> {
    return this.#mutex(async () => {
      const { [agent]: known, ...others } = this.#committed
      if (known) await this.#replace(others, `destroy ${agent}`)
    })
  }

  async #replace(agents: Readonly<Record<string, Deployment>>, message: string): Promise<void> {
    await this.#write(DEPLOYMENTS, textOf(agents))
    try {
      await this.#commit(message)
    } catch (error) {
      // If it was killed, what it left would keep out all that follow; and it may have been done all the same.
      await removeLeftovers(this.#git.gitDir)
      this.#committed = await this.#readCommitted()
      if (textOf(this.#committed) !== textOf(agents)) throw error
    }
    this.#committed = agents
  }

  async #commit(message: string): Promise<void> {
    await this.#git.run(['commit', '--quiet', '--no-verify', '--all', `--message=${message}`])
    // Git flushes the files before it gives them their names, but not the names.
    await flush(join(this.#git.gitDir, 'refs', 'heads'))
  }

  /** Whoever reads it finds the old or the new text. */
  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#directory, name)
    const unfinished = join(this.#git.gitDir, `tmp_${name}`)
    {
      await using file = await open(unfinished, 'w')
      await file.writeFile(text)
      await file.sync()
    }
    await chmod(unfinished, 0o644)
    await rename(unfinished, path)
  }
}

function textOf(agents: Readonly<Record<string, Deployment>>): string {
  const sorted = Object.fromEntries(Object.entries(agents).sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ agents: sorted }, null, 2)}\n`
}

const schemaText = (): string => `${JSON.stringify(z.toJSONSchema(AgentConfig, { io: 'input' }), null, 2)}\n`
