import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Remembers which conversation is the agent's. */
export interface Session {
  /** The id to start with; `resume` when the engine has a transcript of it. */
  current(): { id: string; resume: boolean }
  /** The engine goes on under another id (after `/clear`). */
  adopt(id: string): void
  /** The next start begins a fresh conversation. */
  forget(): void
}

/** `file` holds the id; transcripts are below `configDir`, filed under the working directory. */
export function createSession(file: string, configDir: string, cwd: string): Session {
  const project = join(configDir, 'projects', cwd.replaceAll(/[^a-zA-Z0-9]/g, '-'))
  const save = (id: string) => {
    writeFileSync(`${file}.new`, id, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  return {
    current() {
      const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
      if (UUID.test(known)) return { id: known, resume: existsSync(join(project, `${known}.jsonl`)) }
      const id = randomUUID()
      save(id)
      return { id, resume: false }
    },
    adopt(id) {
      if (UUID.test(id)) save(id)
    },
    forget() {
      rmSync(file, { force: true })
    },
  }
}
