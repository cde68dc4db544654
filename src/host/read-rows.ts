import { z } from 'zod'
import type { Row } from '../kit/sqlite.ts'
import { HiveError } from '../wire/errors.ts'
import type { Undecodable } from '../wire/undecodable.ts'

/** Rows as what they mean, and those that cannot be read: a bad row is shown, and keeps no other from being read. */
export interface Read<T> {
  rows: T[]
  errors: Undecodable[]
}

/** A page of what agents wrote ends here: characters of JSON, in which one of theirs may take six. */
const MAX_PAGE_CHARACTERS = 2 * 1024 * 1024

/** A column that holds JSON. */
export const JsonColumn = z.string().transform((text, ctx): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    ctx.addIssue('is not JSON')
    return z.NEVER
  }
})

/** Reads the row of one thing, which errors call `name`: `question 7`. Throws `internal` when it cannot be read. */
export function readRow<T>(name: string, row: Row, columns: z.ZodType<T>): T {
  const { success, data, error } = columns.safeParse(row)
  if (success) return data
  throw new HiveError('internal', `${name} cannot be read: ${z.prettifyError(error)}`)
}

/** Reads `rows` of `table`, in their order. */
export function readRows<T>(table: string, rows: Iterable<Row>, columns: z.ZodType<T>, idOf = byId): Read<T> {
  const read: Read<T> = { rows: [], errors: [] }
  for (const row of rows) take(read, table, row, columns, idOf)
  return read
}

/** Reads `rows` of `table`, the newest first, until the page is full. Gives them oldest first. */
export function readNewest<T>(table: string, rows: Iterable<Row>, columns: z.ZodType<T>): Read<T> {
  const read: Read<T> = { rows: [], errors: [] }
  let characters = 0
  for (const row of rows) {
    characters += JSON.stringify(take(read, table, row, columns, byId)).length
    if (characters >= MAX_PAGE_CHARACTERS) break
  }
  return { rows: read.rows.reverse(), errors: read.errors.reverse() }
}

const byId = (row: Row): string => String(row.id)

/** Adds what a row means, or what is wrong with it, and gives that. */
function take<T>(
  read: Read<T>,
  table: string,
  row: Row,
  columns: z.ZodType<T>,
  idOf: (row: Row) => string,
): T | Undecodable {
  const { success, data, error } = columns.safeParse(row)
  if (success) {
    read.rows.push(data)
    return data
  }
  const wrong = { table, id: idOf(row), problem: z.prettifyError(error) }
  read.errors.push(wrong)
  return wrong
}
