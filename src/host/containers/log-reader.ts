import { closeSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createLineCutter } from './line-cutter.ts'
import { rotatedFile } from './log-rotation.ts'
import type { LogLine, LogOptions } from './runtime.ts'

const CHUNK_BYTES = 128 * 1024
/** The last lines are looked for in so much: a flood of tiny ones must not keep the daemon busy. */
const TAIL_BYTES = 1024 * 1024

/** What a call may still read. */
interface Budget {
  bytes: number
}

export interface LogFiles {
  /** The folder that they are in. */
  readonly path: string
  /** Who writes only one has no `stderr`. */
  readonly files: { readonly stdout: string; readonly stderr?: string }
}

/**
 * The lines of both streams, stdout before stderr since two files have no common order; at most `tail` of each.
 * With `follow` the lines that come after, until `signal` aborts.
 */
export async function* readLogs({ path, files }: LogFiles, options: LogOptions): AsyncIterable<LogLine> {
  const { tail, follow, signal } = options
  const cursors = (['stdout', 'stderr'] as const).flatMap((stream) => {
    const file = files[stream]
    return file === undefined ? [] : [{ stream, cursor: createCursor(file, { fromEnd: tail !== undefined }) }]
  })
  let wake = () => {}
  const watcher = follow ? watch(path, () => wake()) : undefined
  const abort = () => wake()
  signal?.addEventListener('abort', abort)
  try {
    for (const { stream, cursor } of cursors) {
      let kept: string[] = []
      for await (const lines of cursor.read()) {
        if (tail === undefined) for (const text of lines) yield { stream, text }
        else kept = last(kept.concat(lines), tail)
      }
      for (const text of follow ? kept : last(kept.concat(cursor.end()), tail)) yield { stream, text }
    }
    while (follow && !signal?.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve
      })
      let found = false
      for (const { stream, cursor } of cursors) {
        for await (const text of flatten(cursor.read())) {
          found = true
          yield { stream, text }
        }
      }
      if (!found && !signal?.aborted) await changed
    }
  } finally {
    watcher?.close()
    signal?.removeEventListener('abort', abort)
  }
}

/** What was written to a log after its first `offset` bytes, at most `maxBytes` of it; for a complaint. */
export const readComplaint = (file: string, offset: number, maxBytes: number): string[] =>
  readChunk(file, offset, maxBytes).toString('utf8').split('\n').filter(Boolean)

export const sizeOf = (path: string): number => ifPresent(() => statSync(path).size) ?? 0

const last = (lines: string[], count: number | undefined): string[] =>
  count === undefined ? lines : lines.slice(Math.max(0, lines.length - count))

async function* flatten(batches: AsyncIterable<string[]>): AsyncIterable<string> {
  for await (const batch of batches) yield* batch
}

/**
 * Reads on in a log that is rotated under its hands; piece by piece, since a log of tiny lines is large in memory. `fromEnd`
 * begins near the end.
 */
function createCursor(file: string, { fromEnd }: { fromEnd: boolean }) {
  const old = rotatedFile(file)
  const cutter = createLineCutter()
  let rotated: string | undefined
  let offset = 0
  let skipsFirstLine = false

  if (fromEnd) {
    const start = Math.max(0, sizeOf(old) + sizeOf(file) - TAIL_BYTES)
    skipsFirstLine = start > 0
    const isInOld = start < sizeOf(old)
    if (!isInOld) rotated = identityOf(old)
    offset = isInOld ? start : start - sizeOf(old)
  }

  /**
   * Stops at a rotation, also one that comes while nobody asks for more, and where `budget` bytes have been read. Others get
   * a turn before each piece.
   */
  async function* readOn(path: string, latest: string | undefined, budget: Budget): AsyncIterable<string[]> {
    for (;;) {
      await nextTurn()
      if (identityOf(old) !== latest) return
      const chunk = readChunk(path, offset, Math.min(CHUNK_BYTES, budget.bytes))
      if (chunk.length === 0) return
      offset += chunk.length
      budget.bytes -= chunk.length
      const lines = cutter.cut(chunk)
      if (skipsFirstLine && lines.length > 0) {
        lines.shift()
        skipsFirstLine = false
      }
      yield lines
    }
  }

  return {
    /** The lines that were finished since the last call. No more than is there now: a flood would have no end. */
    async *read(): AsyncIterable<string[]> {
      const budget = { bytes: sizeOf(old) + sizeOf(file) }
      while (budget.bytes > 0) {
        const latest = identityOf(old)
        if (latest !== rotated) {
          // What was not read before the rotation has gone there.
          if (offset > sizeOf(old)) offset = 0
          yield* readOn(old, latest, budget)
          // The rest of it is for the next call.
          if (budget.bytes === 0) return
          offset = 0
          rotated = latest
        }
        if (offset > sizeOf(file)) offset = 0
        yield* readOn(file, latest, budget)
        if (identityOf(old) === latest) return
      }
    },
    /** The last line, if it was never finished. */
    end: () => cutter.end(),
  }
}

function readChunk(path: string, offset: number, maxBytes: number): Buffer {
  const descriptor = ifPresent(() => openSync(path, 'r'))
  if (descriptor === undefined) return Buffer.alloc(0)
  try {
    const size = Math.min(Math.max(0, fstatSync(descriptor).size - offset), maxBytes)
    const buffer = Buffer.alloc(size)
    return buffer.subarray(0, readSync(descriptor, buffer, 0, size, offset))
  } finally {
    closeSync(descriptor)
  }
}

/** Inode numbers are used again, so not by them alone. */
const identityOf = (path: string): string | undefined =>
  ifPresent(() => {
    const { ino, mtimeMs } = statSync(path)
    return `${ino}:${mtimeMs}`
  })

function ifPresent<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
