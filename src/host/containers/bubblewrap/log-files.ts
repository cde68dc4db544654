import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
  watch,
} from 'node:fs'
import { join } from 'node:path'
import type { LogLine } from '../runtime.ts'

export const LOG_STREAMS = ['stdout', 'stderr'] as const
const MAX_BYTES = 8 * 1024 * 1024

export const logFile = (directory: string, stream: 'stdout' | 'stderr'): string => join(directory, `${stream}.log`)

/** Keeps a log within its size: what is over goes to `.1`, whose predecessor is forgotten. The writer's descriptor stays good. */
export function rotateLogs(directory: string, maxBytes = MAX_BYTES): void {
  for (const stream of LOG_STREAMS) {
    const file = logFile(directory, stream)
    if (!existsSync(file) || statSync(file).size <= maxBytes) continue
    copyFileSync(file, `${file}.1`)
    truncateSync(file)
  }
}

/** The last lines of both streams, stdout first: two files have no common order. */
export function tailLogs(directory: string, lines: number): LogLine[] {
  return LOG_STREAMS.flatMap((stream) => {
    const texts = [`${logFile(directory, stream)}.1`, logFile(directory, stream)].flatMap((file) => readLines(file))
    return texts.slice(-lines).map((text) => ({ stream, text }))
  }).slice(-lines)
}

function readLines(file: string): string[] {
  if (!existsSync(file)) return []
  const text = readFrom(file, Math.max(0, statSync(file).size - MAX_BYTES)).text
  return text.split('\n').filter((line, index, all) => line !== '' || index < all.length - 1)
}

function readFrom(file: string, offset: number): { text: string; end: number } {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    const start = size < offset ? 0 : offset
    const buffer = Buffer.alloc(Math.min(size - start, MAX_BYTES))
    const read = readSync(descriptor, buffer, 0, buffer.length, start)
    return { text: buffer.toString('utf8', 0, read), end: start + read }
  } finally {
    closeSync(descriptor)
  }
}

/** Lines as they are written, from now on, until `signal` aborts. */
export async function* followLogs(directory: string, signal: AbortSignal): AsyncIterable<LogLine> {
  const ends = LOG_STREAMS.map((stream) => {
    const file = logFile(directory, stream)
    return { stream, file, offset: existsSync(file) ? statSync(file).size : 0, rest: '' }
  })
  let wake = () => {}
  const watcher = watch(directory, () => wake())
  const abort = () => wake()
  signal.addEventListener('abort', abort)
  try {
    while (!signal.aborted) {
      const next = new Promise<void>((resolve) => {
        wake = resolve
      })
      let any = false
      for (const end of ends) {
        if (!existsSync(end.file)) continue
        const { text, end: offset } = readFrom(end.file, end.offset)
        end.offset = offset
        const parts = (end.rest + text).split('\n')
        end.rest = parts.pop() ?? ''
        for (const line of parts) {
          any = true
          yield { stream: end.stream, text: line }
        }
      }
      if (!any && !signal.aborted) await next
    }
  } finally {
    watcher.close()
    signal.removeEventListener('abort', abort)
  }
}
