import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AppliedRepositories } from './applied-repositories.ts'

export const AGENT = 'alice'
export const CONFIG = '{}\n'

/** The files of a commit: path → text, or bytes; `null` removes it. A path that ends with `*` is executable. */
export type Changes = Readonly<Record<string, string | Uint8Array | null>>

/** Repositories with one of `alice`, whose first commit holds `files`, and a clone in which a manager works. */
export async function openProposals(files: Readonly<Record<string, string>> = { 'agent.json': CONFIG }) {
  const room = mkdtempSync(join(tmpdir(), 'hive-repositories-'))
  const directory = join(room, 'applied')
  mkdirSync(directory)
  const repositories = new AppliedRepositories({ directory })
  await repositories.sweep()
  const first = await repositories.seed(AGENT, files, 'begin')
  const gitDir = join(directory, AGENT, '.git')
  const clone = join(room, 'proposed')
  runGit(room, ['clone', '--quiet', '--origin', 'applied', join(directory, AGENT), clone])
  const git = (...args: string[]) => String(runGit(clone, args)).trim()
  const pack = (sha: string, without: readonly string[] = ['refs/remotes/applied/main'], thin = true): Buffer =>
    runGit(
      clone,
      ['pack-objects', '--revs', '--stdout', '-q', ...(thin ? ['--thin'] : [])],
      [sha, ...without.map((ref) => `^${ref}`)].join('\n').concat('\n'),
    )
  return {
    room,
    directory,
    repositories,
    first,
    gitDir,
    clone,
    git,
    pack,
    /** What the repository itself says, such as `rev-parse main`. */
    applied: (...args: string[]) => String(runGit(room, [`--git-dir=${gitDir}`, ...args])).trim(),
    /** Commits in the clone. Gives the commit. */
    commit(changes: Changes, message = 'change'): string {
      for (const [name, content] of Object.entries(changes)) {
        const path = join(clone, name.replace(/\*$/, ''))
        if (content === null) rmSync(path)
        else {
          mkdirSync(dirname(path), { recursive: true })
          writeFileSync(path, content)
          chmodSync(path, name.endsWith('*') ? 0o755 : 0o644)
        }
      }
      git('add', '--all', '--force')
      git('commit', '--quiet', '--allow-empty', '--message', message)
      return git('rev-parse', 'HEAD')
    },
    /** Commits a tree that no work tree could hold, from lines for `git mktree`. Gives the commit. */
    commitTree(lines: string, parent = first): string {
      const tree = String(runGit(clone, ['mktree', '--missing', '-z'], lines.replaceAll('\n', '\0'))).trim()
      return git('commit-tree', tree, '-p', parent, '-m', 'odd')
    },
    /** Gives the id of a blob. */
    blob: (content: string | Uint8Array) =>
      String(runGit(clone, ['hash-object', '-w', '--stdin', '--no-filters'], content)).trim(),
    take: (id: number, sha: string, packed = pack(sha)) => repositories.take(AGENT, { id, sha, pack: packed }),
    [Symbol.dispose]: () => rmSync(room, { recursive: true, force: true }),
  }
}

/**
 * Makes what the manager's harness proposes, in a clone that does not outlive it: a commit with these files on top of `main`, or
 * of another commit or tag, and its pack.
 */
export function makeProposal(
  gitDir: string,
  files: Readonly<Record<string, string>>,
  parent = 'main',
): { sha: string; pack: Buffer } {
  const room = mkdtempSync(join(tmpdir(), 'hive-proposal-'))
  try {
    runGit(room, ['clone', '--quiet', '--no-checkout', gitDir, room])
    runGit(room, ['fetch', '--quiet', 'origin', '+refs/tags/*:refs/tags/*'])
    runGit(room, ['checkout', '--quiet', '--detach', parent])
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(room, name)), { recursive: true })
      writeFileSync(join(room, name), content)
    }
    runGit(room, ['add', '--all'])
    runGit(room, ['commit', '--quiet', '--allow-empty', '--message', 'change'])
    const sha = String(runGit(room, ['rev-parse', 'HEAD'])).trim()
    const pack = runGit(
      room,
      ['pack-objects', '--revs', '--thin', '--stdout', '-q'],
      `${sha}\n^refs/remotes/origin/main\n`,
    )
    return { sha, pack }
  } finally {
    rmSync(room, { recursive: true })
  }
}

export type Proposals = Awaited<ReturnType<typeof openProposals>>

const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'm',
  GIT_AUTHOR_EMAIL: 'm@hive',
  GIT_COMMITTER_NAME: 'm',
  GIT_COMMITTER_EMAIL: 'm@hive',
}

/** Git as a manager runs it: with whatever its repository says. Throws with what git complains about. */
export const runGit = (cwd: string, args: readonly string[], input: string | Uint8Array = ''): Buffer =>
  execFileSync('git', args, { cwd, input, env: ENVIRONMENT, stdio: 'pipe', maxBuffer: 64 * 1024 * 1024 })
