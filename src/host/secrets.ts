import type { Database } from '../kit/sqlite.ts'
import { HiveError } from '../wire/errors.ts'

/** Secrets that configurations refer to by name; their values leave the daemon only in the answer to a hello. */
export class Secrets {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  list(): { name: string; setAt: number }[] {
    const rows = this.#db.all('SELECT name, set_at FROM secrets ORDER BY name')
    return rows.map((row) => ({ name: String(row.name), setAt: Number(row.set_at) }))
  }

  get(name: string): string | undefined {
    const value = this.#db.get('SELECT value FROM secrets WHERE name = ?', name)?.value
    return value === undefined ? undefined : String(value)
  }

  async set(name: string, value: string): Promise<void> {
    await this.#db.write(() =>
      this.#db.run(
        `INSERT INTO secrets VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET value = excluded.value, set_at = excluded.set_at`,
        name,
        value,
        Date.now(),
      ),
    )
  }

  /** Throws `not_found`. */
  async remove(name: string): Promise<void> {
    await this.#db.write(() => {
      if (this.#db.run('DELETE FROM secrets WHERE name = ?', name).changes === 0) {
        throw new HiveError('not_found', `there is no secret ${name}`, { hint: 'hive secret list shows them' })
      }
    })
  }
}
