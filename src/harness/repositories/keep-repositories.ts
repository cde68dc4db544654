import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, HiveError } from '../../wire/errors.ts'
import { MANAGER, SubAgentName } from '../../wire/names.ts'
import type { Git } from './git.ts'
import { writeGitConfig } from './git-config.ts'
import type { RepositoryPlaces } from './places.ts'

/** No agent's name begins like this. */
const UNFINISHED = '.making-'

/**
 * Makes `/proposed/<agent>` a clone of `/applied/<agent>` for every agent, and removes the clones of agents that were purged.
 * In a clone that exists only the remote `applied` is put right and fetched: branches and work tree are the manager's.
 * Gives what went wrong, in words; one repository does not keep another from being kept.
 */
export async function keepRepositories(git: Git, places: RepositoryPlaces): Promise<string[]> {
  const troubles: string[] = []
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      troubles.push(describeTrouble(error))
    }
  }
  await attempt(async () => {
    const agents = await agentsIn(places.applied)
    await attempt(() => writeGitConfig(places, agents))
    for (const agent of agents) await attempt(() => keepClone(git, places, agent))
    for (const entry of await readdir(places.proposed)) {
      if (entry.startsWith(UNFINISHED)) await attempt(() => remove(join(places.proposed, entry)))
      else if (isAgent(entry) && !agents.includes(entry)) await attempt(() => removeClone(git, places, entry))
    }
  })
  return troubles
}

/**
 * Makes one clone, or brings what it knows of its applied repository up to date. Throws `conflict` when something else is in
 * its place, and what git says.
 */
export async function keepClone(git: Git, places: RepositoryPlaces, agent: string): Promise<void> {
  const clone = join(places.proposed, agent)
  if (await isClone(clone)) return await fetchApplied(git, places, agent, clone)
  if (await find(clone)) {
    throw new HiveError('conflict', `${clone} is no clone of ${join(places.applied, agent)}`, {
      hint: 'move it away, then the clone is made',
    })
  }
  // Under its name only when it is complete: a half-made one would be taken for the manager's work.
  const unfinished = join(places.proposed, `${UNFINISHED}${agent}`)
  await remove(unfinished)
  await git.run(places.proposed, ['init', '--quiet', '--template=', '--initial-branch=main', unfinished])
  await fetchApplied(git, places, agent, unfinished)
  await git.run(unfinished, ['checkout', '--quiet', '--track', '-B', 'main', 'applied/main'])
  await rename(unfinished, clone)
}

async function fetchApplied(git: Git, places: RepositoryPlaces, agent: string, clone: string): Promise<void> {
  const wanted = remoteConfig(join(places.applied, agent))
  if ((await readRemote(git, clone)) !== asListed(wanted)) {
    // Fails when there is no such section, and then nothing has to go.
    await git.attempt(clone, ['config', '--local', '--remove-section', 'remote.applied'])
    for (const entry of wanted) await git.run(clone, ['config', '--local', '--add', ...entry])
  }
  await git.run(clone, ['fetch', '--quiet', '--prune', '--no-recurse-submodules', 'applied'])
}

/** So that `applied/main`, `applied/deployed/3` and `applied/refs/tags/deployed/3` are all known, as of the last fetch. */
const remoteConfig = (url: string) =>
  [
    ['remote.applied.url', url],
    ['remote.applied.tagopt', '--no-tags'],
    ['remote.applied.fetch', '+refs/heads/*:refs/remotes/applied/*'],
    ['remote.applied.fetch', '+refs/tags/*:refs/remotes/applied/*'],
    ['remote.applied.fetch', '+refs/tags/*:refs/remotes/applied/refs/tags/*'],
  ] as const

const asListed = (entries: ReturnType<typeof remoteConfig>): string =>
  entries.map(([key, value]) => `${key}\n${value}\0`).join('')

/** The remote `applied` as git lists it; empty when there is none. */
async function readRemote(git: Git, clone: string): Promise<string> {
  const { stdout } = await git.attempt(clone, ['config', '--local', '--null', '--get-regexp', '^remote\\.applied\\.'])
  return stdout.toString('utf8')
}

/** Removes the clone of an agent that is gone; what the manager made otherwise stays. */
async function removeClone(git: Git, places: RepositoryPlaces, agent: string): Promise<void> {
  const clone = join(places.proposed, agent)
  if (!(await isClone(clone))) return
  const { stdout } = await git.attempt(clone, ['config', '--local', '--null', '--get-all', 'remote.applied.url'])
  if (stdout.toString('utf8') === `${join(places.applied, agent)}\0`) await remove(clone)
}

const isAgent = (name: string): boolean => name === MANAGER || SubAgentName.safeParse(name).success

/** The agents that have a repository in `applied`. */
export const agentsIn = async (applied: string): Promise<string[]> => (await readdir(applied)).filter(isAgent).sort()

const isClone = async (path: string): Promise<boolean> =>
  Boolean((await find(path))?.isDirectory() && (await find(join(path, '.git')))?.isDirectory())

/** What is at `path`, links not followed; undefined when nothing is. */
async function find(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true })

const describeTrouble = (error: unknown): string =>
  error instanceof HiveError && error.hint ? `${error.message}: ${error.hint}` : errorText(error)
