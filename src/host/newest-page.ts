import { z } from 'zod'
import type { Row } from '../kit/sqlite.ts'
import type { Undecodable } from '../wire/undecodable.ts'

/** A page of what agents wrote ends here: characters of JSON, in which one of theirs may take six. */
const MAX_PAGE_CHARACTERS = 2 * 1024 * 1024

/** Reads `rows` of `table`, the newest first, until the page is full. Gives them oldest first, and those that cannot be read. */
export function readNewest<T>(
  table: string,
  rows: Iterable<Row>,
  columns: z.ZodType<T>,
): { rows: T[]; errors: Undecodable[] } {
  const read: T[] = []
  const errors: Undecodable[] = []
  let characters = 0
  for (const row of rows) {
    const { success, data, error } = columns.safeParse(row)
    if (success) read.push(data)
    else errors.push({ table, id: String(row.id), problem: z.prettifyError(error) })
    characters += JSON.stringify(success ? data : errors.at(-1)).length
    if (characters >= MAX_PAGE_CHARACTERS) break
  }
  return { rows: read.reverse(), errors: errors.reverse() }
}
