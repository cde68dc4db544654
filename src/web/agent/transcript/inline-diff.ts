import { z } from 'zod'
import { countLines, detached } from './clip.ts'

/** A few lines of a change, as they are shown beside a call. */
export interface InlineDiff {
  /** Each begins with `+`, `-` or a space; `…` stands between hunks. */
  readonly lines: readonly string[]
  readonly added: number
  readonly removed: number
  /** Lines that are not here: the whole is fetched on demand. */
  readonly more: number
}

const Detail = z.object({ structuredPatch: z.array(z.object({ lines: z.array(z.string()) })).min(1) })
const Edit = z.object({ old_string: z.string(), new_string: z.string() })
const Edits = z.object({ edits: z.array(Edit).min(1) })
const Write = z.object({ content: z.string() })
const Notebook = z.object({ new_source: z.string() })

/** Lines that a row holds. */
const MAX_LINES = 60
const MAX_LINE_CHARACTERS = 500

/**
 * What a call of Edit, MultiEdit, Write or NotebookEdit changes: by the engine's own patch where it gave one (`detail`),
 * else by the strings of its input; undefined when neither can be read. `maxLines` of it are kept.
 */
export function inlineDiff(input: unknown, detail: unknown, maxLines: number = MAX_LINES): InlineDiff | undefined {
  const lines = patchLines(detail) ?? inputLines(input)
  if (!lines) return undefined
  const isWhole = maxLines === Number.POSITIVE_INFINITY
  return {
    lines: isWhole ? lines : lines.slice(0, maxLines).map((line) => detached(line.slice(0, MAX_LINE_CHARACTERS))),
    added: lines.filter((line) => line.startsWith('+')).length,
    removed: lines.filter((line) => line.startsWith('-')).length,
    more: Math.max(0, lines.length - maxLines),
  }
}

function patchLines(detail: unknown): string[] | undefined {
  const patch = Detail.safeParse(detail).data
  return patch?.structuredPatch.flatMap(({ lines }, index) => (index === 0 ? lines : ['…', ...lines]))
}

function inputLines(input: unknown): string[] | undefined {
  const edit = Edit.safeParse(input).data
  if (edit) return changeLines(edit)
  const edits = Edits.safeParse(input).data
  if (edits) return edits.edits.flatMap((one, index) => (index === 0 ? changeLines(one) : ['…', ...changeLines(one)]))
  const written = Write.safeParse(input).data?.content ?? Notebook.safeParse(input).data?.new_source
  return written === undefined ? undefined : marked('+', written)
}

const changeLines = ({ old_string, new_string }: z.infer<typeof Edit>): string[] => [
  ...marked('-', old_string),
  ...marked('+', new_string),
]

const marked = (mark: string, text: string): string[] =>
  text.split('\n', countLines(text)).map((line) => `${mark}${line}`)
