const NEWLINE = 0x0a
/** A longer line comes in pieces. */
const MAX_LINE_BYTES = 64 * 1024

/** Cuts bytes into lines; bytes that are no UTF-8 show as U+FFFD. */
export function createLineCutter(maxBytes = MAX_LINE_BYTES) {
  let rest: Buffer = Buffer.alloc(0)
  return {
    cut(chunk: Buffer): string[] {
      const lines: string[] = []
      let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (;;) {
        const newline = bytes.indexOf(NEWLINE)
        if ((newline === -1 || newline > maxBytes) && bytes.length > maxBytes) {
          lines.push(bytes.toString('utf8', 0, maxBytes))
          bytes = bytes.subarray(maxBytes)
        } else if (newline !== -1) {
          lines.push(bytes.toString('utf8', 0, newline))
          bytes = bytes.subarray(newline + 1)
        } else {
          rest = Buffer.from(bytes)
          return lines
        }
      }
    },
    end: (): string[] => (rest.length === 0 ? [] : [rest.toString('utf8')]),
  }
}
