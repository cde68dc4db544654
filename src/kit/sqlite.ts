import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { errorText, HiveError } from '../wire/errors.ts'
import type { Ballast } from './ballast.ts'

export interface DatabaseOptions {
  readonly path: string
  /** Each one is applied once, in order, in a transaction of its own; `user_version` counts them. */
  readonly migrations: readonly string[]
  /** FULL: a commit survives a power cut. NORMAL: the last ones may not, but the file stays sound. */
  readonly synchronous: 'FULL' | 'NORMAL'
  /** Disk kept in reserve for essential writes. Without it a full disk stops everything. */
  readonly ballast?: Ballast
}

export interface WriteOptions {
  /** Goes on when the disk is full, in the space of the ballast: what lets work end, not what adds to it. */
  readonly essential?: boolean
}

/** One SQLite file, owned by this process alone, with one connection: the single writer. */
export interface Database extends Disposable {
  /**
   * Runs `change` in the transaction that all writes of this event-loop turn share; it may run twice.
   * Resolves after the commit; rejects with what `change` threw (only its own effects are undone) or with the commit's failure.
   * A `HiveError` is a refusal and must be thrown before any effect.
   * Writes run in the order of the calls, so a later one sees what an earlier one did.
   */
  write<T>(change: () => T, options?: WriteOptions): Promise<T>
  /** `undone` is called whenever effects of writes were undone that may have left traces in memory, before anything else is written. */
  onRollback(undone: () => void): void
  /** The disk is full: only essential writes are taken. */
  readonly isFull: boolean
  /** Whether a write waits for the end of this event-loop turn. */
  hasPendingWrites(): boolean
  all(sql: string, ...values: SQLInputValue[]): Row[]
  get(sql: string, ...values: SQLInputValue[]): Row | undefined
  /** Rows as they are asked for, for those who may stop early; nothing else may be done with the database meanwhile. */
  iterate(sql: string, ...values: SQLInputValue[]): Iterable<Row>
  run(sql: string, ...values: SQLInputValue[]): { changes: number; lastInsertRowid: number }
  /** Copies it, as it is when that ends, into a new file that `openDatabase` takes. Others go on meanwhile. */
  backup(path: string): Promise<void>
  close(): void
}

export type Row = Record<string, unknown>

interface PendingWrite {
  change: () => unknown
  essential: boolean
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * Opens or creates the file. Throws `unavailable` when another process holds it, when it is damaged,
 * or when a newer version of the program wrote it; the hint says what to do.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const db = openFile(options)
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql)
    if (!statement) {
      statement = db.prepare(sql)
      statements.set(sql, statement)
    }
    return statement
  }
  const [begin, commit, rollback, savepoint, release, undo] = [
    'BEGIN IMMEDIATE',
    'COMMIT',
    'ROLLBACK',
    'SAVEPOINT w',
    'RELEASE w',
    'ROLLBACK TO w',
  ].map(prepare) as [StatementSync, StatementSync, StatementSync, StatementSync, StatementSync, StatementSync]

  let pending: PendingWrite[] = []
  /** So many copies are about to begin: no transaction may be open meanwhile. */
  let holds = 0

  let forgetMemory = () => {}
  let isFull = false
  let ballastWatch: NodeJS.Timeout | undefined

  type Outcome = { ok: true; value: unknown } | { ok: false; error: unknown }

  /** Without a savepoint, since a refusal comes before any effect. Throws what is no refusal: then nobody knows what was done. */
  const attempt = ({ change }: PendingWrite): Outcome => {
    try {
      return { ok: true, value: change() }
    } catch (error) {
      if (isRefusal(error)) return { ok: false, error }
      throw error
    }
  }

  const attemptInSavepoint = ({ change }: PendingWrite): Outcome => {
    savepoint.run()
    try {
      const value = change()
      release.run()
      return { ok: true, value }
    } catch (error) {
      // Some failures (disk full) end the whole transaction by themselves.
      if (!db.isTransaction) throw error
      undo.run()
      release.run()
      if (!isRefusal(error)) forgetMemory()
      return { ok: false, error }
    }
  }

  const runAll = (batch: readonly PendingWrite[], one: (write: PendingWrite) => Outcome): Outcome[] => {
    try {
      begin.run()
      const outcomes = batch.map(one)
      commit.run()
      return outcomes
    } catch (error) {
      if (db.isTransaction) rollback.run()
      forgetMemory()
      throw error
    }
  }

  /** Commits a batch and answers it. Throws when nothing of it was stored. */
  const commitBatch = (batch: readonly PendingWrite[]): void => {
    let outcomes: Outcome[]
    try {
      outcomes = runAll(batch, attempt)
    } catch (error) {
      if (isFullDisk(error)) throw error
      // One of them failed in the middle: again, each with a way back of its own.
      outcomes = runAll(batch, attemptInSavepoint)
    }
    for (const [index, outcome] of outcomes.entries()) {
      const write = batch[index] as PendingWrite
      if (outcome.ok) write.resolve(outcome.value)
      else write.reject(outcome.error)
    }
  }

  /** Takes the ballast again when there is space, and with it all kinds of writes. */
  const awaitSpace = (ballast: Ballast): void => {
    ballastWatch ??= setInterval(() => {
      if (!ballast.restore()) return
      clearInterval(ballastWatch)
      ballastWatch = undefined
      isFull = false
    }, FULL_CHECK_MS).unref()
  }
  // There was no room for it when the file was opened.
  if (options.ballast?.isReleased) awaitSpace(options.ballast)

  /** Takes essential writes only, until there is space again. */
  const closeForFullDisk = (ballast: Ballast): void => {
    isFull = true
    awaitSpace(ballast)
  }

  const flush = () => {
    const batch = pending
    pending = []
    try {
      commitBatch(batch)
    } catch (cause) {
      const { ballast } = options
      const error = describeFailure(cause)
      const essential = batch.filter((write) => write.essential)
      if (error.code !== 'disk_full' || !ballast?.release() || essential.length === 0) {
        if (error.code === 'disk_full' && ballast) closeForFullDisk(ballast)
        for (const { reject } of batch) reject(error)
        return
      }
      closeForFullDisk(ballast)
      for (const write of batch) if (!write.essential) write.reject(error)
      try {
        commitBatch(essential)
      } catch (again) {
        for (const { reject } of essential) reject(describeFailure(again))
      }
    }
  }

  const flushUnlessHeld = () => {
    if (holds === 0 && pending.length > 0) flush()
  }

  /** Keeps writes waiting until the function that it gives is called. */
  const holdWrites = (): (() => void) => {
    holds += 1
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      holds -= 1
      if (pending.length > 0) setImmediate(flushUnlessHeld)
    }
  }

  return {
    write(change, { essential = false } = {}) {
      return new Promise((resolve, reject) => {
        if (isFull && !essential) return reject(diskFull())
        if (pending.length === 0) setImmediate(flushUnlessHeld)
        pending.push({ change, essential, resolve: resolve as (value: unknown) => void, reject })
      })
    },
    onRollback(undone) {
      forgetMemory = undone
    },
    get isFull() {
      return isFull
    },
    hasPendingWrites: () => pending.length > 0,
    all: (sql, ...values) => prepare(sql).all(...values) as Row[],
    get: (sql, ...values) => prepare(sql).get(...values) as Row | undefined,
    iterate: (sql, ...values) => prepare(sql).iterate(...values) as Iterable<Row>,
    run(sql, ...values) {
      const { changes, lastInsertRowid } = prepare(sql).run(...values)
      return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
    },
    async backup(path) {
      // Another thread copies: its first step fails for good while a transaction is open, later ones wait for its end.
      const goOn = holdWrites()
      try {
        await backup(db, path, { progress: goOn })
      } catch (cause) {
        if (isFullDisk(cause)) throw diskFull(cause)
        throw new HiveError('unavailable', `the database cannot be copied: ${errorText(cause)}`, { cause })
      } finally {
        goOn()
      }
    },
    close() {
      clearInterval(ballastWatch)
      if (pending.length > 0) flush()
      if (db.isOpen) db.close()
    },
    [Symbol.dispose]() {
      this.close()
    },
  }
}

function openFile({ path, migrations, synchronous }: DatabaseOptions): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    if (path !== ':memory:') keepToOwner(path)
    db = new DatabaseSync(path, { timeout: 100 })
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    db.exec('PRAGMA journal_mode = WAL')
    db.exec(`PRAGMA synchronous = ${synchronous}`)
    // What a savepoint would undo: without this, pages of a big batch go through a temporary file.
    db.exec('PRAGMA temp_store = MEMORY')
    db.exec('PRAGMA foreign_keys = ON')
    db.exec('PRAGMA trusted_schema = OFF')
    checkHealth(db, path)
    migrate(db, path, migrations)
    return db
  } catch (error) {
    db?.close()
    throw error instanceof HiveError ? error : describeOpenFailure(error, path)
  }
}

/** Secrets stand in it, and its directory may be passable. SQLite gives the files beside it the mode of the first. */
function keepToOwner(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600)
}

function checkHealth(db: DatabaseSync, path: string): void {
  const found = db.prepare('PRAGMA quick_check(100)').all() as { quick_check: string }[]
  const problems = found.map((row) => row.quick_check).filter((problem) => problem !== 'ok' && !BAD_ROW.test(problem))
  if (problems.length > 0) throw damaged(path, problems.slice(0, 3).join('; '))
}

/** A row that breaks a rule of its table is that row's trouble: whoever reads it says so. The file is sound. */
const BAD_ROW = /^(CHECK constraint failed|NULL value) in /

function migrate(db: DatabaseSync, path: string, migrations: readonly string[]): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > migrations.length) {
    throw new HiveError(
      'unavailable',
      `${path} was written by a newer hyperhive (schema ${version}, known ${migrations.length})`,
      {
        hint: 'install that version again, or restore a backup made by this one',
      },
    )
  }
  for (let next = version; next < migrations.length; next += 1) {
    db.exec(`BEGIN IMMEDIATE; ${migrations[next]}; PRAGMA user_version = ${next + 1}; COMMIT`)
  }
}

const isRefusal = (error: unknown): boolean => error instanceof HiveError && error.code !== 'internal'

const SQLITE_FULL = 13

const isFullDisk = (error: unknown): boolean => (error as { errcode?: number }).errcode === SQLITE_FULL

/** How often a full disk is looked at again. */
const FULL_CHECK_MS = 5_000

const diskFull = (cause?: unknown): HiveError =>
  new HiveError('disk_full', 'the disk is full: nothing was stored', {
    hint: 'free some space; it goes on by itself',
    cause,
  })

/** A failed commit, in words for whoever asked for the write. */
function describeFailure(cause: unknown): HiveError {
  if (isFullDisk(cause)) return diskFull(cause)
  return new HiveError('unavailable', `the database refused the write: ${errorText(cause)}`, { cause })
}

const [SQLITE_BUSY, SQLITE_CORRUPT, SQLITE_NOTADB] = [5, 11, 26]

function describeOpenFailure(cause: unknown, path: string): HiveError {
  const code = (cause as { errcode?: number }).errcode
  if (code === SQLITE_BUSY) {
    return new HiveError('unavailable', `another process holds ${path}`, {
      hint: 'another hive daemon runs on this state directory: stop it, or choose another --state-dir',
      cause,
    })
  }
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return damaged(path, errorText(cause), cause)
  if (isFullDisk(cause)) return new HiveError('disk_full', `there is no space to open ${path}`, { cause })
  return new HiveError('unavailable', `cannot open ${path}: ${errorText(cause)}`, {
    hint: 'the file itself may be sound: see who owns it and its directory, and whether the disk is in order',
    cause,
  })
}

const damaged = (path: string, problem: string, cause?: unknown): HiveError =>
  new HiveError('unavailable', `${path} is damaged: ${problem}`, {
    hint: `nothing was changed; move the file away and put the last backup in its place, then start again`,
    cause,
  })
