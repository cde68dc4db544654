import { chmod, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { flush, flushAll } from '../../kit/flush.ts'
import type { Git } from '../../kit/git.ts'
import { HiveError } from '../../wire/errors.ts'
import { readObjects } from './objects.ts'
import { listTree } from './tree.ts'

/**
 * Writes the files of a commit into `directory`, which appears as a whole, on the disk too; one that is there already has the
 * same content and stays. No attribute and no filter has a say. Throws as `listTree` does.
 */
export async function extractTree(git: Git, sha: string, directory: string): Promise<void> {
  const files = await listTree(git, sha)
  const contents = await readObjects(
    git,
    files.map(({ id }) => ({ name: id, content: true })),
  )
  const above = dirname(directory)
  if (await mkdir(above, { recursive: true })) await chmod(above, 0o755)
  const unfinished = await mkdtemp(`${directory}.`)
  try {
    await chmod(unfinished, 0o755)
    for (const [n, { path, isExecutable, size }] of files.entries()) {
      const content = contents[n]?.content
      if (content?.length !== size) throw new HiveError('internal', `${path} of ${sha} cannot be read`)
      await makeDirectories(unfinished, dirname(path))
      await write(join(unfinished, path), content, isExecutable ? 0o755 : 0o644)
    }
    await flushAll(unfinished)
    await rename(unfinished, directory)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    if (!isTaken(error)) throw error
  }
  await flush(above)
}

const isTaken = (error: unknown): boolean =>
  ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')

/** Agents must be able to pass them, whatever the umask is. */
async function makeDirectories(top: string, path: string): Promise<void> {
  if (path === '.') return
  await makeDirectories(top, dirname(path))
  const made = await mkdir(join(top, path), { recursive: true })
  if (made !== undefined) await chmod(made, 0o755)
}

async function write(path: string, content: Buffer, mode: number): Promise<void> {
  await using file = await open(path, 'wx')
  await file.writeFile(content)
  await file.chmod(mode)
}
