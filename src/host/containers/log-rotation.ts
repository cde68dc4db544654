import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'

/** Where the end of a log went when it was rotated. */
export const rotatedFile = (file: string): string => `${file}.1`

/**
 * Keeps a log within `maxBytes` by copy and truncate: the writer's descriptor stays good, since it appends. One old piece is
 * kept. What is written between copy and truncation is lost.
 */
export function rotateLog(file: string, maxBytes: number): void {
  if (!existsSync(file) || statSync(file).size <= maxBytes) return
  const unfinished = `${rotatedFile(file)}.new`
  copyEnd(file, unfinished, 2 * maxBytes)
  renameSync(unfinished, rotatedFile(file))
  truncateSync(file)
}

/** A flood may have made the file far larger than it should be: then only its end is worth keeping. */
function copyEnd(from: string, to: string, maxBytes: number): void {
  if (statSync(from).size <= maxBytes) {
    copyFileSync(from, to)
    return
  }
  const descriptor = openSync(from, 'r')
  try {
    const buffer = Buffer.alloc(maxBytes)
    const read = readSync(descriptor, buffer, 0, maxBytes, fstatSync(descriptor).size - maxBytes)
    writeFileSync(to, buffer.subarray(0, read), { mode: 0o600 })
  } finally {
    closeSync(descriptor)
  }
}
