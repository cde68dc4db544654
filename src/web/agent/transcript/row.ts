import type { TurnEnd } from '../../../wire/turn.ts'
import type { Clip } from './clip.ts'
import type { InlineDiff } from './inline-diff.ts'

/** Where a row stands: by the number of its first event, and by its part of that event. */
export interface Place {
  /** The same for the same row, however many are before it. */
  readonly key: string
  readonly seq: number
  readonly part: number
  /** Unix milliseconds, the agent's claim. */
  readonly at: number
}

/** What came of a call. */
export interface CallResult {
  readonly seq: number
  readonly isError: boolean
  readonly text: Clip
  readonly imageCount: number
  /** As `data:` addresses; only in a row that was folded without limits. */
  readonly images: readonly string[]
}

/** One use of a tool. */
export interface Call extends Place {
  readonly id: string
  readonly tool: string
  readonly label: string
  readonly title: string
  /** Within a call of another tool: by a helper of the engine. */
  readonly isHelper: boolean
  readonly isLookup: boolean
  readonly isOpen: boolean
  readonly hidesSuccess: boolean
  /** Words of its input, or all of it where the tool is not known. */
  readonly body: Clip | undefined
  readonly change: InlineDiff | undefined
  readonly result: CallResult | undefined
}

export interface TurnMessage {
  readonly id: number
  readonly from: string
  readonly body: Clip
}

export type Level = 'info' | 'warn' | 'error'

/** What stands in one row of a transcript. */
export type RowContent =
  | { readonly kind: 'turn'; readonly pending: number; readonly messages: readonly TurnMessage[] }
  | { readonly kind: 'end'; readonly end: TurnEnd }
  /** What the agent says: Markdown. */
  | { readonly kind: 'text'; readonly isHelper: boolean; readonly text: Clip }
  | { readonly kind: 'thinking'; readonly isHelper: boolean; readonly text: Clip }
  /** What the engine was told, or answered by itself. */
  | { readonly kind: 'words'; readonly isHelper: boolean; readonly text: Clip }
  /** One call, or lookups in a row. */
  | { readonly kind: 'calls'; readonly calls: readonly Call[] }
  /** A result whose call is not here. */
  | { readonly kind: 'result'; readonly id: string; readonly result: CallResult; readonly detail: unknown }
  | { readonly kind: 'note'; readonly level: Level; readonly text: string; readonly topic?: string }
  /** What is not known, as it came: JSON. */
  | { readonly kind: 'raw'; readonly name: string; readonly json: Clip }

export type Row = Place & RowContent
export type RowOf<K extends Row['kind']> = Extract<Row, { kind: K }>

/** Numbers of the events of which a row is made, in order. */
export function eventsOf(row: Row): number[] {
  if (row.kind !== 'calls') return [row.seq]
  const numbers = row.calls.flatMap(({ seq, result }) => (result ? [seq, result.seq] : [seq]))
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/** The index of the last row that begins at a place or before it; -1 when none does. Rows stand in order. */
export function findRow(rows: readonly Row[], { seq, part }: Pick<Place, 'seq' | 'part'>): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    const row = rows[middle] as Row
    if (row.seq < seq || (row.seq === seq && row.part <= part)) low = middle + 1
    else high = middle
  }
  return low - 1
}
