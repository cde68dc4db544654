import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { flush, flushAll } from '../../kit/flush.ts'
import { assertUsableGit, createGit, endLeftGits, type Git } from '../../kit/git.ts'
import type { Log } from '../../kit/log.ts'
import { createMutex, type Mutex } from '../../kit/mutex.ts'
import type { Diff } from '../../wire/approvals.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { type Problem, Problems } from '../problems.ts'
import { type CommitWords, readCommit } from './commit-words.ts'
import { draftCommit } from './draft-commit.ts'
import { extractTree } from './extract-tree.ts'
import { type Files, makeRepository } from './first-commit.ts'
import { removeLeftovers } from './left-locks.ts'
import { assertCommitId, readFileOf } from './objects.ts'
import { diffCommits } from './proposal-diff.ts'
import { adoptObjects, descendsFrom, inspectProposal, type Proposal } from './proposal-intake.ts'
import { changeRefs, ENDS, MAIN, type RefChange, readRef, TAGS, type Tag, tagRef } from './refs.ts'
import { spelledOut } from './spelled-out.ts'

export interface AppliedRepositoriesOptions {
  readonly directory: string
  readonly log?: Log
}

/** Whatever is being made or removed is here, where nobody but the daemon can look: what is beside it is whole. */
const ASIDE = '.aside'
const MAX_NOTE = 16 * 1024

/**
 * The repositories of what runs, one for each agent: `main` is what it runs with, and every proposal has a tag for each step
 * that it came to. Only the daemon writes them, what it says is done is on the disk, and its git is the only one there.
 */
export class AppliedRepositories {
  readonly #directory: string
  readonly #log: Log | undefined
  readonly #problems = new Problems()
  readonly #changes = new Map<string, Mutex>()
  readonly #changing = new Set<Promise<unknown>>()
  /** While it is there, no change begins. */
  #held: Promise<void> | undefined
  /** One for all: looking at a proposal is the only thing whose cost others decide. */
  readonly #intake = createMutex()

  constructor({ directory, log }: AppliedRepositoriesOptions) {
    this.#directory = directory
    this.#log = log
  }

  /**
   * At the start, before anything else: ends what an earlier daemon left running, removes what it left half done, and completes
   * what must not stay half done. One that cannot be put right is shown, and keeps nobody else from starting. Throws
   * `unavailable` when git is missing or too old.
   */
  async sweep(): Promise<void> {
    await assertUsableGit()
    await endLeftGits(this.#directory)
    await rm(join(this.#directory, ASIDE), { recursive: true, force: true })
    await mkdir(join(this.#directory, ASIDE), { recursive: true, mode: 0o700 })
    for (const agent of this.names()) {
      try {
        await this.#repair(agent)
      } catch (error) {
        this.#log?.error({ agent, error: errorText(error) }, 'a repository cannot be put right')
        this.#problems.note(`repository of ${agent}`, error)
      }
    }
  }

  /** Repositories that could not be put right at the start. */
  errors(): Problem[] {
    return this.#problems.list()
  }

  /** Agents that have a repository, those that were destroyed too. */
  names(): string[] {
    return readdirSync(this.#directory).filter((name) => name !== ASIDE && this.has(name))
  }

  has(agent: string): boolean {
    return existsSync(join(this.#gitDirOf(agent), 'HEAD'))
  }

  #gitDirOf(agent: string): string {
    return join(this.#directory, agent, '.git')
  }

  #gitOf(agent: string): Git {
    if (!this.has(agent)) throw new HiveError('not_found', `${agent} has no repository`)
    return createGit({ gitDir: this.#gitDirOf(agent) })
  }

  /** Makes `action` the only one that changes the repository of an agent. */
  #exclusively<T>(agent: string, action: () => Promise<T>): Promise<T> {
    const mutex = this.#changes.get(agent) ?? createMutex()
    this.#changes.set(agent, mutex)
    return mutex(async () => {
      while (this.#held) await this.#held
      const change = action()
      this.#changing.add(change)
      try {
        return await change
      } finally {
        this.#changing.delete(change)
      }
    })
  }

  /** No repository changes while `action` goes on: those changes that have begun end before, others wait. One at a time. */
  async hold<T>(action: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    try {
      await Promise.allSettled(this.#changing)
      return await action()
    } finally {
      this.#held = undefined
      resolve()
    }
  }

  async #aside<T>(name: string, action: (directory: string) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(this.#directory, ASIDE, `${name}-`))
    try {
      return await action(directory)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }

  /**
   * Makes the repository of an agent, with a first commit of `files` (path → text) that is `main` and `deployed/0`. Gives
   * `main`; a repository that is there already is left as it is.
   */
  seed(agent: string, files: Files, message: string): Promise<string> {
    return this.#exclusively(agent, async () => {
      if (this.has(agent)) return this.main(agent)
      await this.#aside(agent, async (directory) => {
        const made = join(directory, agent)
        await mkdir(made)
        await chmod(made, 0o755)
        await makeRepository(join(made, '.git'), files, message)
        await flushAll(made)
        await rename(made, join(this.#directory, agent))
        await flush(this.#directory)
      })
      return this.main(agent)
    })
  }

  /** The commit that runs. Throws `not_found` when the agent has no repository. */
  async main(agent: string): Promise<string> {
    const { gitDir } = this.#gitOf(agent)
    const main = await readRef(gitDir, MAIN)
    if (main === undefined) throw new HiveError('internal', `the repository of ${agent} has no main`)
    return main
  }

  /** A text file of a commit; undefined when there is none. Throws `too_large`, `bad_input` when it is not UTF-8, `not_found`. */
  async readFile(agent: string, sha: string, path: string, maxBytes: number): Promise<string | undefined> {
    assertCommitId(sha)
    return readFileOf(this.#gitOf(agent), sha, path, maxBytes)
  }

  /** What a commit says of itself: claims of whoever made it. Throws `not_found`. */
  async commit(agent: string, sha: string): Promise<CommitWords> {
    assertCommitId(sha)
    return readCommit(this.#gitOf(agent), sha)
  }

  /** Whether a commit is `ancestor`, or came after it. */
  async descends(agent: string, ancestor: string, sha: string): Promise<boolean> {
    for (const id of [ancestor, sha]) assertCommitId(id)
    return descendsFrom(this.#gitOf(agent), ancestor, sha)
  }

  /** What differs between two commits, so that it cannot lie. */
  async diff(agent: string, base: string, sha: string): Promise<Diff> {
    for (const id of [base, sha]) assertCommitId(id)
    return diffCommits(this.#gitOf(agent), base, sha)
  }

  /** Writes the files of a commit into a new directory, which appears as a whole. */
  async extract(agent: string, sha: string, directory: string): Promise<void> {
    assertCommitId(sha)
    await extractTree(this.#gitOf(agent), sha, directory)
  }

  /**
   * A commit of the daemon's own, on top of `base`, in which these files at the top of the tree have other texts: as a pack, to be
   * proposed. The repository does not have it.
   */
  async draft(agent: string, base: string, files: Files, message: string): Promise<{ sha: string; pack: Buffer }> {
    assertCommitId(base)
    const { gitDir } = this.#gitOf(agent)
    return this.#aside(`${agent}-draft`, (quarantine) =>
      draftCommit(createGit({ gitDir, quarantine }), base, files, message),
    )
  }

  /**
   * Takes a proposal in, tagged `proposal/<id>`: from then on it cannot change. Gives what runs now, on which it is based.
   * Throws why it is refused, `bad_input`, `too_large` or `timeout`, with nothing left behind; `conflict` when the tag is there.
   */
  take(agent: string, { id, sha, pack }: Proposal): Promise<{ base: string }> {
    return this.#intake(async () => {
      assertCommitId(sha)
      const git = this.#gitOf(agent)
      return this.#aside(`${agent}-${id}`, async (quarantine) => {
        const inspected = await inspectProposal(git, quarantine, { sha, pack })
        await this.#exclusively(agent, async () => {
          // It may have been purged in the meantime.
          this.#gitOf(agent)
          const taken = await readRef(git.gitDir, tagRef('proposal', id))
          if (taken !== undefined) throw new HiveError('conflict', `proposal ${id} of ${agent} was taken already`)
          // Should this daemon be killed here, there are objects that nobody asks for.
          await adoptObjects(git, quarantine)
          await this.#change(agent, git, [{ ref: tagRef('proposal', id), to: sha }])
        })
        return inspected
      })
    })
  }

  /** Which tags a proposal has. */
  async tags(agent: string, id: number): Promise<Set<Tag>> {
    const { gitDir } = this.#gitOf(agent)
    const has = await Promise.all(TAGS.map(async (tag) => (await readRef(gitDir, tagRef(tag, id))) !== undefined))
    return new Set(TAGS.filter((_, n) => has[n]))
  }

  /** Notes a step of a proposal, unless that is done. Throws `conflict` when the tag names another commit. */
  async tag(agent: string, id: number, step: 'approved' | 'building', sha: string): Promise<void> {
    assertCommitId(sha)
    return this.#exclusively(agent, async () => {
      const git = this.#gitOf(agent)
      const tagged = await readRef(git.gitDir, tagRef(step, id))
      if (tagged === sha) return
      if (tagged !== undefined) throw new HiveError('conflict', `${step}/${id} of ${agent} is another commit`)
      await this.#change(agent, git, [{ ref: tagRef(step, id), to: sha }])
    })
  }

  /**
   * Notes how a proposal came to nothing, and why: an annotated tag with `note` as its text. Does nothing when that is done.
   * Throws `conflict` when it has ended otherwise.
   */
  async close(agent: string, id: number, how: 'denied' | 'failed', sha: string, note: string): Promise<void> {
    assertCommitId(sha)
    return this.#exclusively(agent, async () => {
      const git = this.#gitOf(agent)
      if (await this.#hasEnded(agent, id, how)) return
      const object = await writeTagObject(git, { name: `${how}/${id}`, sha, note })
      await this.#change(agent, git, [{ ref: tagRef(how, id), to: object }])
    })
  }

  /**
   * A proposal is what runs from now on: `main` goes from `base` to it, and it is tagged `deployed/<id>`. Does nothing when
   * that is done. Throws `conflict` when it has ended otherwise, or `main` is not `base`.
   */
  async promote(agent: string, id: number, { sha, base }: { sha: string; base: string }): Promise<void> {
    for (const commit of [sha, base]) assertCommitId(commit)
    return this.#exclusively(agent, async () => {
      const git = this.#gitOf(agent)
      if (await this.#hasEnded(agent, id, 'deployed')) return
      if ((await this.main(agent)) !== base) throw new HiveError('conflict', `what ${agent} runs with has changed`)
      // In this order: where the tag is there, `main` has moved.
      await this.#change(agent, git, [
        { ref: MAIN, from: base, to: sha },
        { ref: tagRef('deployed', id), to: sha },
      ])
    })
  }

  /** Whether a proposal has ended like this. Throws `conflict` when it has ended otherwise. */
  async #hasEnded(agent: string, id: number, how: (typeof ENDS)[number]): Promise<boolean> {
    const tags = await this.tags(agent, id)
    const other = ENDS.find((end) => end !== how && tags.has(end))
    if (other) throw new HiveError('conflict', `proposal ${id} of ${agent} is ${other} already`)
    return tags.has(how)
  }

  async #change(agent: string, git: Git, changes: readonly RefChange[]): Promise<void> {
    try {
      await changeRefs(git, changes)
    } catch (error) {
      // If it was killed, what it left would keep out all that follow.
      await this.#repair(agent)
      throw error
    }
  }

  /** Removes what a git that was killed left; one that had moved `main` had `deployed/<id>` still to set. */
  async #repair(agent: string): Promise<void> {
    const git = this.#gitOf(agent)
    const left = await removeLeftovers(git.gitDir)
    if (left.length > 0) this.#log?.warn({ agent, left }, 'removed what a git that was killed had left')
    for (const lock of left) {
      const id = Number(lock.match(/^refs\/tags\/deployed\/(\d+)\.lock$/)?.[1] ?? Number.NaN)
      if (Number.isNaN(id) || (await this.tags(agent, id)).has('deployed')) continue
      const main = await this.main(agent)
      if (main !== (await readRef(git.gitDir, tagRef('proposal', id)))) continue
      await changeRefs(git, [{ ref: tagRef('deployed', id), to: main }])
    }
  }

  /** Removes the repository of an agent, if there is one. */
  remove(agent: string): Promise<void> {
    return this.#exclusively(agent, async () => {
      if (!existsSync(join(this.#directory, agent))) return
      await this.#aside(agent, async (directory) => {
        await rename(join(this.#directory, agent), join(directory, agent))
        await flush(this.#directory)
      })
    })
  }
}

/** Gives the id of a tag object whose text is `note`, with everything hidden in it spelled out. */
async function writeTagObject(git: Git, { name, sha, note }: { name: string; sha: string; note: string }) {
  const tagger = `tagger hyperhive <hyperhive@localhost> ${Math.floor(Date.now() / 1000)} +0000`
  const text = spelledOut(note).slice(0, MAX_NOTE).trimEnd()
  const stdin = `object ${sha}\ntype commit\ntag ${name}\n${tagger}\n\n${text === '' ? '' : `${text}\n`}`
  const id = String(await git.run(['mktag'], { stdin })).trim()
  await flush(join(git.gitDir, 'objects', id.slice(0, 2)))
  await flush(join(git.gitDir, 'objects'))
  return id
}
