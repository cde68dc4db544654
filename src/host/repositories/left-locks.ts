import { readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'

/**
 * Removes what a git that was killed left in a repository that only this daemon writes, while none runs there: locks, which
 * would keep out all that follow, and files that were being written. Gives their paths below `gitDir`.
 */
export async function removeLeftovers(gitDir: string): Promise<string[]> {
  const left = await findLeftovers(gitDir)
  await Promise.all(left.map((path) => rm(path, { force: true })))
  return left.map((path) => relative(gitDir, path))
}

async function findLeftovers(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const found = entries.map(async (entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return findLeftovers(path)
    return entry.name.endsWith('.lock') || entry.name.startsWith('tmp_') ? [path] : []
  })
  return (await Promise.all(found)).flat()
}
