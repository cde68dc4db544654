import { existsSync, realpathSync } from 'node:fs'
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { flush, flushAll } from '../../kit/flush.ts'
import { run } from '../../kit/run.ts'
import type { Database } from '../../kit/sqlite.ts'
import { HiveError } from '../../wire/errors.ts'
import { HOST_PATH } from '../host-path.ts'
import type { Layout } from '../layout.ts'
import type { AppliedRepositories } from '../repositories/applied-repositories.ts'
import type { MetaRepository } from '../repositories/meta-repository.ts'
import { measureUsage } from './disk-usage.ts'

export interface BackupOptions {
  readonly layout: Layout
  readonly db: Database
  readonly eventDb: Database
  readonly repositories: Pick<AppliedRepositories, 'names' | 'hold'>
  readonly meta: Pick<MetaRepository, 'hold'>
}

const COPY_MS = 60 * 60 * 1000

/**
 * Copies what the daemon keeps: both databases, the repositories of configurations, and what is deployed. What agents can
 * write (their notes, their logins, the manager's clones) is not the daemon's to read.
 */
export class Backup {
  readonly #options: BackupOptions
  #isBusy = false

  constructor(options: BackupOptions) {
    this.#options = options
  }

  /**
   * Writes a backup into a new directory, which appears as a whole, and gives its size in bytes. Messages flow meanwhile;
   * deploys and proposals wait, so that rows and commits fit together. Throws `bad_input` when nothing may be written there,
   * `conflict` when it exists or another backup is being made.
   */
  async write(directory: string): Promise<{ directory: string; bytes: number }> {
    if (this.#isBusy) throw new HiveError('conflict', 'another backup is being made', { hint: 'wait for it to end' })
    const place = this.#placeOf(directory)
    this.#isBusy = true
    const unfinished = `${place}.unfinished`
    try {
      await mkdir(unfinished, { mode: 0o700 })
    } catch (cause) {
      this.#isBusy = false
      throw cannotWrite(unfinished, cause)
    }
    try {
      await this.#copyInto(unfinished)
      await flushAll(unfinished)
      await rename(unfinished, place)
      await flush(dirname(place))
      const bytes = (await measureUsage({ paths: [place], timeoutMs: COPY_MS })) ?? 0
      return { directory: place, bytes }
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true })
      throw error
    } finally {
      this.#isBusy = false
    }
  }

  /** Where the directory really is. */
  #placeOf(directory: string): string {
    if (!isAbsolute(directory)) throw new HiveError('bad_input', `${directory} is not absolute`)
    if (!existsSync(dirname(directory))) {
      throw new HiveError('bad_input', `there is no directory ${dirname(directory)}`, { hint: 'make it first' })
    }
    const place = join(realpathSync(dirname(directory)), basename(directory))
    const { stateDir, runDir } = this.#options.layout
    if ([stateDir, runDir].some((own) => `${place}/`.startsWith(`${realpathSync(own)}/`))) {
      throw new HiveError('bad_input', `${directory} is inside of the hive itself`, { hint: 'choose another disk' })
    }
    if (existsSync(place)) throw new HiveError('conflict', `${directory} exists`, { hint: 'choose a new directory' })
    return place
  }

  async #copyInto(directory: string): Promise<void> {
    const { db, eventDb, repositories, meta, layout } = this.#options
    // While nothing moves a branch, whatever the rows say at their moment is what a killed daemon would have left.
    await repositories.hold(() =>
      meta.hold(async () => {
        await this.#copyDatabase(db, join(directory, basename(layout.database)))
        const applied = join(directory, basename(layout.applied))
        await mkdir(applied, { mode: 0o755 })
        // What is aside is unfinished.
        await copy(
          repositories.names().map((name) => join(layout.applied, name)),
          applied,
        )
        await copy([layout.meta], directory)
      }),
    )
    await this.#copyDatabase(eventDb, join(directory, basename(layout.eventDatabase)))
  }

  async #copyDatabase(db: Database, path: string): Promise<void> {
    await db.backup(path)
    await chmod(path, 0o600)
  }
}

/** Only what is the daemon's own: nobody else can put anything there. */
async function copy(from: readonly string[], to: string): Promise<void> {
  if (from.length === 0) return
  const { exitCode, stderr } = await run(['cp', '--archive', '--', ...from, to], {
    timeoutMs: COPY_MS,
    env: { PATH: HOST_PATH },
  })
  if (exitCode === 0) return
  const isFull = stderr.includes('No space left on device')
  throw new HiveError(isFull ? 'disk_full' : 'internal', `the copy failed: ${stderr.trim().split('\n').at(-1)}`)
}

function cannotWrite(directory: string, cause: unknown): HiveError {
  if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
    return new HiveError('conflict', `${directory} is left of a backup that was not finished`, {
      hint: `rm -r ${directory}`,
    })
  }
  return new HiveError('bad_input', `cannot make ${directory}: ${(cause as Error).message}`, { cause })
}
