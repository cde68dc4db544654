import { closeSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs'
import { createLineCutter } from '../line-cutter.ts'
import type { LogLine, LogOptions } from '../runtime.ts'
import { rotatedFile } from './log-rotation.ts'

const CHUNK_BYTES = 1024 * 1024

export interface LogFiles {
  /** The folder of both. */
  readonly path: string
  readonly files: { readonly stdout: string; readonly stderr: string }
}

/**
 * The lines of both streams, stdout before stderr since two files have no common order; at most `tail` of each.
 * With `follow` the lines that come after, until `signal` aborts.
 */
export async function* readLogs({ path, files }: LogFiles, options: LogOptions): AsyncIterable<LogLine> {
  const { tail, follow, signal } = options
  const cursors = (['stdout', 'stderr'] as const).map((stream) => ({ stream, cursor: createCursor(files[stream]) }))
  let wake = () => {}
  const watcher = follow ? watch(path, () => wake()) : undefined
  const abort = () => wake()
  signal?.addEventListener('abort', abort)
  try {
    for (const { stream, cursor } of cursors) {
      const lines = follow ? cursor.read() : [...cursor.read(), ...cursor.end()]
      const skip = tail === undefined ? 0 : Math.max(0, lines.length - tail)
      for (const text of lines.slice(skip)) yield { stream, text }
    }
    while (follow && !signal?.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve
      })
      const lines = cursors.flatMap(({ stream, cursor }) => cursor.read().map((text) => ({ stream, text })))
      yield* lines
      if (lines.length === 0 && !signal?.aborted) await changed
    }
  } finally {
    watcher?.close()
    signal?.removeEventListener('abort', abort)
  }
}

/** Reads on in a log that is rotated under its hands. */
function createCursor(file: string) {
  const cutter = createLineCutter()
  let offset = 0
  let rotated: string | undefined

  const readOn = (path: string): string[] => {
    const lines: string[] = []
    for (;;) {
      const chunk = readChunk(path, offset)
      if (chunk.length === 0) return lines
      offset += chunk.length
      for (const line of cutter.cut(chunk)) lines.push(line)
    }
  }

  return {
    /** The lines that were finished since the last call. */
    read(): string[] {
      const lines: string[] = []
      const latest = identityOf(rotatedFile(file))
      if (latest !== rotated) {
        // What was not read before the rotation has gone there.
        if (offset > sizeOf(rotatedFile(file))) offset = 0
        lines.push(...readOn(rotatedFile(file)))
        offset = 0
        rotated = latest
      }
      if (offset > sizeOf(file)) offset = 0
      return lines.concat(readOn(file))
    },
    /** The last line, if it was never finished. */
    end: () => cutter.end(),
  }
}

function readChunk(path: string, offset: number): Buffer {
  const descriptor = ifPresent(() => openSync(path, 'r'))
  if (descriptor === undefined) return Buffer.alloc(0)
  try {
    const size = Math.min(Math.max(0, fstatSync(descriptor).size - offset), CHUNK_BYTES)
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
const sizeOf = (path: string): number => ifPresent(() => statSync(path).size) ?? 0

function ifPresent<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
