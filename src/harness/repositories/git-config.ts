import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RepositoryPlaces } from './places.ts'

/**
 * Makes git know who the manager is and which repositories it may trust: those of `agents` and meta, each by its exact path, for
 * anything wider would run what another agent wrote into the config of a repository in its own notes.
 * It goes into `~/.config/git/config`; `~/.gitconfig`, which git reads too, is the manager's to change.
 */
export async function writeGitConfig(places: RepositoryPlaces, agents: readonly string[]): Promise<void> {
  const directory = join(places.home, '.config', 'git')
  await mkdir(directory, { recursive: true })
  // `hive-ag3nt mcp` may write it at the same time.
  const unfinished = join(directory, `config.${crypto.randomUUID()}`)
  await writeFile(unfinished, gitConfig(places, agents))
  await rename(unfinished, join(directory, 'config'))
  // While there is none, `git config --global` would write into ours.
  await writeFile(join(places.home, '.gitconfig'), '', { flag: 'a' })
}

function gitConfig({ applied, proposed, meta }: RepositoryPlaces, agents: readonly string[]): string {
  const trusted = [
    // A work tree goes by its own path, what is fetched from by that of its .git.
    ...[meta, ...agents.map((agent) => join(applied, agent))].flatMap((path) => [path, join(path, '.git')]),
    // The manager's own; they need it only where `gitGuard` has git trust nothing else.
    ...agents.map((agent) => join(proposed, agent)),
  ]
  return [
    '[user]\n\tname = manager\n\temail = manager@hive\n',
    '[init]\n\tdefaultBranch = main\n',
    `[safe]\n${trusted.map((path) => `\tdirectory = ${path}\n`).join('')}`,
  ].join('')
}

/**
 * The environment that keeps the manager's git out of other agents' repositories. Git trusts what its own uid owns; where the
 * daemon has no uids to give, all agents have that one, so git is told to go by `safe.directory` alone. There is no
 * setting for that: it is the switch with which git tests itself.
 */
export async function gitGuard({ applied }: RepositoryPlaces): Promise<Record<string, string>> {
  const isShared = (await stat(applied)).uid === process.getuid?.()
  return isShared ? { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' } : {}
}
