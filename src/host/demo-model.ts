import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Log } from '../kit/log.ts'
import { HiveError } from '../wire/errors.ts'
import type { App } from './app-dir.ts'
import { Companion, type Identity } from './companion.ts'
import type { Layout } from './layout.ts'
import type { Problem } from './problems.ts'

export interface DemoModelOptions {
  readonly layout: Layout
  readonly app: App
  readonly log: Log
  /** Called when it serves at another URL than before: who was told the old one has to be told. */
  readonly onMoved: () => Promise<void>
}

/** The scripted model of a demo, kept running on the port it had before, or on another when that was taken meanwhile. */
export class DemoModel implements AsyncDisposable {
  readonly #portFile: string
  readonly #companion: Companion
  #url: string

  constructor({ layout, app, log, onMoved }: DemoModelOptions) {
    this.#portFile = join(layout.stateDir, 'model.port')
    this.#url = this.#currentUrl()
    // Another hive's model may have the port by now.
    const hive = createHash('sha256').update(layout.stateDir).digest('hex').slice(0, 12)
    this.#companion = new Companion({
      name: 'model',
      stateDir: layout.stateDir,
      argv: async () => [
        join(app.directory, 'node'),
        join(app.directory, 'model.mjs'),
        '--port',
        await freePort(this.#port()),
        '--port-file',
        this.#portFile,
        '--identity',
        `${app.revision} ${hive}`,
      ],
      revision: app.revision,
      ask: async (signal) => {
        const { headers } = await fetch(this.#currentUrl(), { method: 'HEAD', signal })
        return readIdentity(headers.get('hive-model'), hive)
      },
      onUp: async () => {
        if (this.#currentUrl() === this.#url) return
        await onMoved()
        this.#url = this.#currentUrl()
      },
      log,
    })
  }

  /** Gives whether it is somewhere else than at the last start. */
  async open(): Promise<{ hasMoved: boolean }> {
    const before = this.#port()
    await this.#companion.open()
    this.#url = this.#currentUrl()
    return { hasMoved: before !== '' && before !== this.#port() }
  }

  /** For `ANTHROPIC_BASE_URL`. */
  url(): string {
    return this.#currentUrl()
  }

  errors(): Problem[] {
    return this.#companion.errors()
  }

  #currentUrl(): string {
    return `http://127.0.0.1:${this.#port()}`
  }

  #port(): string {
    try {
      return readFileSync(this.#portFile, 'utf8').trim()
    } catch {
      return '' // It has not written it yet.
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#companion[Symbol.asyncDispose]()
  }
}

/** `<pid> <revision> <hive>`, as the scripted model says with each answer. Throws when somebody else answered. */
function readIdentity(header: string | null, hive: string): Identity {
  const [pid, revision, itsHive] = header?.split(' ') ?? []
  if (!revision || itsHive !== hive) throw new HiveError('unreachable', 'that is not the scripted model of this hive')
  return { pid: Number(pid), revision }
}

/** The port that is wanted, or `0` (any) when it is taken. */
async function freePort(wanted: string): Promise<string> {
  if (wanted === '') return '0'
  const server = createServer()
  try {
    server.listen(Number(wanted), '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return wanted
  } catch {
    return '0' // Somebody has it.
  }
}
