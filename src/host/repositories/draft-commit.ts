import type { Git } from '../../kit/git.ts'
import type { Files } from './first-commit.ts'

/**
 * A commit on top of `base` in which `files`, at the top of the tree, have these texts. Gives it as a pack of what the repository
 * has not: `git` has to be one with a quarantine, so nothing of it is in the repository.
 */
export async function draftCommit(
  git: Git,
  base: string,
  files: Files,
  message: string,
): Promise<{ sha: string; pack: Buffer }> {
  const id = async (args: [string, ...string[]], stdin = '') => String(await git.run(args, { stdin })).trim()
  const kept = String(await git.run(['ls-tree', '-z', base]))
    .split('\0')
    .filter((entry) => entry !== '' && !Object.hasOwn(files, entry.slice(entry.indexOf('\t') + 1)))
  const written = Object.entries(files).map(
    async ([path, text]) => `100644 blob ${await id(['hash-object', '-w', '--stdin'], text)}\t${path}`,
  )
  const entries = [...kept, ...(await Promise.all(written))]
  const tree = await id(['mktree', '-z'], entries.map((entry) => `${entry}\0`).join(''))
  const sha = await id(['commit-tree', tree, '-p', base], message)
  const pack = await git.run(['pack-objects', '--revs', '--stdout', '--thin', '-q'], { stdin: `${sha}\n^${base}\n` })
  return { sha, pack }
}
