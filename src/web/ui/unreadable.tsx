import type { Undecodable } from '../../wire/undecodable.ts'
import { visible } from './visible.ts'

/** Rows that could not be decoded: shown, never dropped. */
export const Unreadable = ({ rows }: { rows: readonly Undecodable[] }) =>
  rows.map(({ table, id, problem }) => (
    <p key={`${table}:${id}`} role="alert" className="border-b border-line px-3 py-2 break-words text-err">
      Could not read {visible(table)} {visible(id)}: <code className="font-mono text-xs">{visible(problem)}</code>
    </p>
  ))
