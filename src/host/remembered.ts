import type { Database, WriteOptions } from '../kit/sqlite.ts'

/** What a hive knows about itself from one start to the next. */
export type Remembered = 'model' | 'seeded' | 'stopped'

export const recall = (db: Database, name: Remembered): string | undefined => {
  const value = db.get('SELECT value FROM settings WHERE name = ?', name)?.value
  return value === undefined ? undefined : String(value)
}

export async function remember(db: Database, name: Remembered, value: string, options?: WriteOptions): Promise<void> {
  if (recall(db, name) === value) return
  await db.write(
    () => db.run('INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', name, value),
    options,
  )
}

export async function forget(db: Database, name: Remembered, options?: WriteOptions): Promise<void> {
  await db.write(() => db.run('DELETE FROM settings WHERE name = ?', name), options)
}
