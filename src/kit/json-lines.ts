import { HiveError } from '../wire/errors.ts'

const NEWLINE = 0x0a

/**
 * Splits a byte stream into lines at `\n` only (readline also splits at U+2028, which JSON may hold).
 * `push` gives the lines that became complete. Throws `too_large` for a line over `maxBytes` and `bad_input` for invalid UTF-8;
 * the stream is of no use after that.
 */
export function createLineSplitter(maxBytes: number): { push(chunk: Buffer): string[]; pending(): number } {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest: Buffer[] = []
  let restBytes = 0

  const decode = (bytes: Buffer): string => {
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new HiveError('bad_input', 'a line is not valid UTF-8', { cause })
    }
  }

  return {
    push(chunk) {
      const lines: string[] = []
      let start = 0
      for (;;) {
        const end = chunk.indexOf(NEWLINE, start)
        const piece = chunk.subarray(start, end === -1 ? undefined : end)
        if (restBytes + piece.length > maxBytes) {
          throw new HiveError('too_large', `a line is longer than ${maxBytes} bytes`)
        }
        if (end === -1) {
          if (piece.length > 0) rest.push(piece)
          restBytes += piece.length
          return lines
        }
        lines.push(decode(rest.length === 0 ? piece : Buffer.concat([...rest, piece])))
        rest = []
        restBytes = 0
        start = end + 1
      }
    },
    pending: () => restBytes,
  }
}

/** Parses one line of JSON. Throws `bad_input`, also for text nested deeper than the engine can read. */
export function parseJsonLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new HiveError('bad_input', 'a line is not JSON', { cause })
  }
}
