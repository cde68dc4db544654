import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { flush } from '../../kit/flush.ts'
import type { Git } from '../../kit/git.ts'

export const MAIN = 'refs/heads/main'

/** How a proposal can end; no more than one of them for each. */
export const ENDS = ['deployed', 'failed', 'denied'] as const
/** The tags of a proposal, each `<tag>/<id>`. */
export const TAGS = ['proposal', 'approved', 'building', ...ENDS] as const
export type Tag = (typeof TAGS)[number]

export const tagRef = (tag: Tag, id: number): string => `refs/tags/${tag}/${id}`

export interface RefChange {
  readonly ref: string
  /** What it has to be until now; undefined: not there. */
  readonly from?: string
  readonly to: string
}

const NONE = '0'.repeat(40)

/**
 * Changes references in their order, all or, when one is not what it has to be, none. Resolves when they are on the disk.
 * A git that is killed may have changed the first ones only.
 */
export async function changeRefs(git: Git, changes: readonly RefChange[]): Promise<void> {
  const lines = changes.map(({ ref, from = NONE, to }) => `update ${ref} ${to} ${from}\n`)
  await git.run(['update-ref', '--stdin'], { stdin: lines.join('') })
  // Git flushes the files before it gives them their names, but not the names.
  const directories = new Set(changes.flatMap(({ ref }) => [dirname(ref), dirname(dirname(ref))]))
  await Promise.all([...directories].map((directory) => flush(join(git.gitDir, directory))))
}

/**
 * The id that a reference names, of a tag or a commit; undefined when it is not there. Its file is read, as git does it: a
 * process for each would cost more than all else.
 */
export async function readRef(gitDir: string, ref: string): Promise<string | undefined> {
  const loose = await readIfThere(join(gitDir, ref))
  if (loose !== undefined) return loose.trim()
  // Only there when an operator has had git tidy up.
  const packed = await readIfThere(join(gitDir, 'packed-refs'))
  return packed
    ?.split('\n')
    .find((line) => line.endsWith(` ${ref}`))
    ?.slice(0, NONE.length)
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
