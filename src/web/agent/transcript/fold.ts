import type { LiveEvent, StoredEvent } from '../../../wire/events.ts'
import { type Clip, clip, PROSE_CHARACTERS, RESULT_CHARACTERS } from './clip.ts'
import { engineLineName, readEngineLine } from './engine-line.ts'
import { inlineDiff } from './inline-diff.ts'
import { jsonText } from './json-text.ts'
import { type Block, imageAddress, readResult, readSaid, type SaidLine, type StrangeBlock } from './line.ts'
import { type Call, type CallResult, findRow, type Place, type Row, type RowContent, type RowOf } from './row.ts'
import { fieldsOf, lookOf } from './tool-table.ts'

/** How much of long texts, changes and pictures the rows hold. */
export interface Limits {
  readonly resultCharacters: number
  readonly proseCharacters: number
  readonly diffLines: number
  readonly keepsImages: boolean
}

const LIMITS: Limits = {
  resultCharacters: RESULT_CHARACTERS,
  proseCharacters: PROSE_CHARACTERS,
  diffLines: 60,
  keepsImages: false,
}

/** For one row that somebody opened, and for an export. */
export const UNLIMITED: Limits = {
  resultCharacters: Number.POSITIVE_INFINITY,
  proseCharacters: Number.POSITIVE_INFINITY,
  diffLines: Number.POSITIVE_INFINITY,
  keepsImages: true,
}

/**
 * Makes rows of events. An event is looked at once, whatever comes before or after it; a row that changes is replaced, and all
 * others stay the same objects.
 */
export class Fold {
  readonly #limits: Limits
  #rows: Row[] = []
  /** Where each call stands, and which results still look for theirs, by the engine's id of the call. */
  readonly #calls = new Map<string, Place>()
  readonly #strays = new Map<string, Place>()
  /** The call to which the event with a result belongs. */
  readonly #homes = new Map<number, Place>()
  #lastBoundary = 0

  constructor(limits: Limits = LIMITS) {
    this.#limits = limits
  }

  /** In order. It is the fold's own list: whoever keeps it over changes takes a copy. */
  get rows(): readonly Row[] {
    return this.#rows
  }

  /** Whether a call without a result can still get one: its turn goes on. */
  isRunning(call: Call): boolean {
    return !call.result && call.seq > this.#lastBoundary
  }

  /** The index of the row in which an event is shown, or after which it would be; -1 before the first. */
  indexOf(seq: number): number {
    return findRow(this.#rows, this.#homes.get(seq) ?? { seq, part: Number.POSITIVE_INFINITY })
  }

  /** Takes newer events, in order. */
  append(events: readonly StoredEvent[]): void {
    for (const event of events) this.#take(event)
  }

  /** Takes older events, in order, that end where the rows begin. */
  prepend(events: readonly StoredEvent[]): void {
    const older = new Fold(this.#limits)
    older.append(events)
    for (const [id, place] of this.#strays) {
      if (!older.#calls.has(id)) continue
      const stray = this.#rows[findRow(this.#rows, place)] as RowOf<'result'>
      older.#settle(id, stray.result, stray.detail)
      this.#rows.splice(this.#rows.indexOf(stray), 1)
      this.#strays.delete(id)
    }
    const newer = this.#rows
    this.#rows = older.#rows
    const [first, ...rest] = newer
    if (first) this.#push(first)
    for (const row of rest) this.#rows.push(row)
    for (const [id, place] of older.#calls) if (!this.#calls.has(id)) this.#calls.set(id, place)
    for (const [id, place] of older.#strays) if (!this.#strays.has(id)) this.#strays.set(id, place)
    for (const [seq, place] of older.#homes) this.#homes.set(seq, place)
    this.#lastBoundary = Math.max(this.#lastBoundary, older.#lastBoundary)
  }

  #take({ seq, at, event }: StoredEvent): void {
    if (event.kind === 'turn_start' || event.kind === 'turn_end') this.#lastBoundary = seq
    if (event.kind === 'stream') this.#takeLine(seq, at, event.value)
    else this.#push({ ...placeOf(seq, 0, at), ...this.#contentOf(event) })
  }

  #contentOf(event: Exclude<LiveEvent, { kind: 'stream' }>): RowContent {
    switch (event.kind) {
      case 'turn_start': {
        const messages = event.messages.map(({ id, from, body }) => ({ id, from, body: this.#clipResult(body) }))
        return { kind: 'turn', pending: event.pending, messages }
      }
      case 'turn_end':
        return { kind: 'end', end: event.end }
      case 'note':
        return { kind: 'note', level: event.level, text: this.#clipResult(event.text).text }
      case 'gap':
        return { kind: 'note', level: 'warn', text: `${event.lost} events are missing: the daemon was away` }
    }
  }

  #takeLine(seq: number, at: number, value: Readonly<Record<string, unknown>>): void {
    const said = readSaid(value)
    if (said) {
      for (const [part, block] of said.blocks.entries()) this.#takeBlock(placeOf(seq, part, at), block, said)
      return
    }
    const note = readEngineLine(value)
    if (note === 'quiet') return
    const content: RowContent = note
      ? { kind: 'note', ...note, text: this.#clipResult(note.text).text }
      : this.#raw(engineLineName(value), value)
    this.#push({ ...placeOf(seq, 0, at), ...content })
  }

  #takeBlock(place: Place, block: Block | StrangeBlock, said: SaidLine): void {
    if (block.type === 'tool_result') {
      const result = this.#resultOf(place.seq, block)
      if (this.#calls.has(block.tool_use_id)) this.#settle(block.tool_use_id, result, said.detail)
      else this.#keepStray(place, block.tool_use_id, result, said.detail)
      return
    }
    const content = this.#contentOfBlock(place, block, said)
    if (content) this.#push({ ...place, ...content })
  }

  #contentOfBlock(
    place: Place,
    block: Exclude<Block, { type: 'tool_result' }> | StrangeBlock,
    { role, isHelper, isReplay }: SaidLine,
  ): RowContent | undefined {
    switch (block.type) {
      case 'text': {
        if (role === 'assistant') return { kind: 'text', isHelper, text: this.#clipProse(block.text) }
        const output = COMMAND_OUTPUT.exec(block.text)?.[1]
        // What woke the turn stands in its head already.
        if (isReplay && output === undefined) return undefined
        return { kind: 'words', isHelper, text: this.#clipResult((output ?? block.text).trim()) }
      }
      case 'thinking':
        return { kind: 'thinking', isHelper, text: this.#clipResult(block.thinking) }
      case 'redacted_thinking':
        return { kind: 'thinking', isHelper, text: this.#clipResult('(not shown by the model)') }
      case 'tool_use': {
        this.#calls.set(block.id, place)
        return { kind: 'calls', calls: [this.#callOf(place, block, isHelper)] }
      }
      case 'image':
        return this.#raw(block.source.media_type, { image: imageAddress(block).length })
      case 'strange':
        return this.#raw(`${role} block`, block.block)
    }
  }

  #callOf(place: Place, { id, name, input }: Extract<Block, { type: 'tool_use' }>, isHelper: boolean): Call {
    const look = lookOf(name)
    const fields = fieldsOf(input)
    const title = look?.title(fields)
    // An input that says not what the table expects is shown as that of a tool that is not known.
    const body =
      title === undefined ? jsonText(input) : typeof look?.body === 'function' ? look.body(fields) : undefined
    return {
      ...place,
      id,
      tool: name,
      label: look?.label ?? name,
      title: clip(title ?? jsonText(input, 0), MAX_TITLE).text,
      isHelper,
      isLookup: look?.isLookup ?? false,
      isOpen: look?.isOpen ?? false,
      hidesSuccess: look?.hidesSuccess ?? false,
      body: body === undefined ? undefined : this.#clipResult(body),
      change: look?.body === 'diff' ? inlineDiff(input, undefined, this.#limits.diffLines) : undefined,
      result: undefined,
    }
  }

  #resultOf(seq: number, { content, is_error }: Extract<Block, { type: 'tool_result' }>): CallResult {
    const { text, images } = readResult(content)
    return {
      seq,
      isError: is_error ?? false,
      text: this.#clipResult(text),
      imageCount: images.length,
      images: this.#limits.keepsImages ? images : [],
    }
  }

  #settle(id: string, result: CallResult, detail: unknown): void {
    const place = this.#calls.get(id) as Place
    const index = findRow(this.#rows, place)
    const row = this.#rows[index] as RowOf<'calls'>
    const calls = row.calls.map((call) => {
      if (call.id !== id) return call
      const change = call.change && (inlineDiff(undefined, detail, this.#limits.diffLines) ?? call.change)
      return { ...call, result, change }
    })
    this.#rows[index] = { ...row, calls }
    this.#homes.set(result.seq, place)
  }

  #keepStray(place: Place, id: string, result: CallResult, detail: unknown): void {
    this.#strays.set(id, place)
    this.#push({ ...place, kind: 'result', id, result, detail })
  }

  #push(row: Row): void {
    const last = this.#rows.at(-1)
    const merged = last && merge(last, row)
    if (merged) this.#rows[this.#rows.length - 1] = merged
    else this.#rows.push(row)
  }

  #raw(name: string, value: unknown): RowContent {
    return { kind: 'raw', name, json: this.#clipResult(jsonText(value)) }
  }

  #clipResult(text: string): Clip {
    return clip(text, this.#limits.resultCharacters)
  }

  #clipProse(text: string): Clip {
    return clip(text, this.#limits.proseCharacters)
  }
}

/** Lookups in one row: adding one copies it. */
const MAX_LOOKUPS = 50
/** Characters of what stands on one line. */
const MAX_TITLE = 300

const COMMAND_OUTPUT = /^<local-command-std(?:out|err)>([\s\S]*?)<\/local-command-std(?:out|err)>\s*$/

const placeOf = (seq: number, part: number, at: number): Place => ({ key: `${seq}.${part}`, seq, part, at })

/** Two rows as one: lookups in a row, and notes that say how the same thing goes on. */
function merge(last: Row, row: Row): Row | undefined {
  if (last.kind === 'calls' && row.kind === 'calls') {
    const [first] = last.calls
    const [next] = row.calls
    const isSame = first?.isLookup && next?.isLookup && first.isHelper === next.isHelper
    if (!isSame || last.calls.length + row.calls.length > MAX_LOOKUPS) return undefined
    return { ...last, calls: [...last.calls, ...row.calls] }
  }
  if (last.kind === 'note' && row.kind === 'note' && row.topic && row.topic === last.topic) {
    return { ...last, level: row.level, text: row.text }
  }
  return undefined
}
