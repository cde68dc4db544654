import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Remembers which conversation is the agent's. */
export interface Session {
  /** The id to start with: `resume` when the conversation has begun. */
  current(): { id: string; resume: boolean }
  /** A conversation has begun, or goes on under this id. Written before its first message: what exists can always be found again. */
  keep(id: string): void
  /** The next start begins a fresh conversation. */
  forget(): void
}

/** `file` holds the id of a conversation that has begun, and is there only then. What is no id in it counts as none. */
export function createSession(file: string, newId: () => string = randomUUID): Session {
  const read = (): string | undefined => {
    try {
      const text = readFileSync(file, 'utf8').trim()
      return UUID.test(text) ? text : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
  return {
    current() {
      const known = read()
      return known ? { id: known, resume: true } : { id: newId(), resume: false }
    },
    keep(id) {
      if (UUID.test(id) && read() !== id) replaceFile(file, id)
    },
    forget() {
      rmSync(file, { force: true })
    },
  }
}

/** Whole or not at all, also after a power cut. */
function replaceFile(path: string, text: string): void {
  const fd = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${path}.new`, path)
}
