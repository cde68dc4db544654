import { createNotifier, type Notifier } from '../../kit/notifier.ts'
import type { Database } from '../../kit/sqlite.ts'
import { DeployLine } from '../../wire/approvals.ts'

const MAX_LINES = 5_000
const MAX_LINE_CHARS = 4_000

/** What deploys wrote, kept with their approvals: a build may say more than anybody wants to keep. */
export class DeployLog {
  readonly changes: Notifier = createNotifier()
  readonly #db: Database
  readonly #now: () => number

  constructor(db: Database, now: () => number = Date.now) {
    this.#db = db
    this.#now = now
  }

  /** Adds lines. Beyond the cap one line says that the rest is left out. */
  async add(approval: number, text: string): Promise<void> {
    await this.#db.write(
      () => {
        for (const line of text.replace(/\n$/, '').split('\n')) {
          const last = Number(this.#db.get('SELECT max(n) AS n FROM deploy_log WHERE approval = ?', approval)?.n ?? 0)
          if (last >= MAX_LINES) return
          const kept = last === MAX_LINES - 1 ? '(the rest is left out)' : line.slice(0, MAX_LINE_CHARS)
          this.#db.run('INSERT INTO deploy_log VALUES (?, ?, ?, ?)', approval, last + 1, this.#now(), kept)
        }
      },
      { essential: true },
    )
    this.changes.notify()
  }

  /** Lines after the n-th, oldest first. */
  list(approval: number, after: number, limit = 200): DeployLine[] {
    return this.#db
      .all('SELECT n, at, text FROM deploy_log WHERE approval = ? AND n > ? ORDER BY n LIMIT ?', approval, after, limit)
      .map((row) => DeployLine.parse(row))
  }
}
