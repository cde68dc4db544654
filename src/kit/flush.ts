import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Resolves when a file's content, or the names in a directory, are on the disk. */
export async function flush(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

/** The same for everything below a directory, and itself. */
export async function flushAll(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    await (entry.isDirectory() ? flushAll(path) : flush(path))
  }
  await flush(directory)
}
