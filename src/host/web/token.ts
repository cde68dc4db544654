import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { flush } from '../../kit/flush.ts'
import type { Log } from '../../kit/log.ts'

const SHAPE = /^[\w-]{43}$/

/** What opens the dashboard: 32 random bytes, kept in a file that only the daemon's user can read. */
export class WebToken {
  readonly #path: string
  #token: string

  private constructor(path: string, token: string) {
    this.#path = path
    this.#token = token
  }

  /** Takes the token of an earlier start up again, or makes the first one. */
  static async open(path: string, log: Log): Promise<WebToken> {
    const kept = readKept(path)
    const token = new WebToken(path, kept ?? '')
    if (kept !== undefined && SHAPE.test(kept)) chmodSync(path, 0o600)
    else {
      if (kept !== undefined) log.warn({ path }, 'the token of the dashboard cannot be read: there is a new one')
      await token.renew()
    }
    return token
  }

  get value(): string {
    return this.#token
  }

  /** In a time that says nothing of the token. */
  is(token: string): boolean {
    return timingSafeEqual(digest(token), digest(this.#token))
  }

  /** Makes another; the one before opens nothing from now on. Throws when it cannot be kept: it is good until the daemon ends. */
  async renew(): Promise<void> {
    const token = randomBytes(32).toString('base64url')
    this.#token = token
    const made = `${this.#path}.new`
    {
      await using file = await open(made, 'w', 0o600)
      await file.chmod(0o600)
      await file.writeFile(token)
      await file.sync()
    }
    await rename(made, this.#path)
    await flush(dirname(this.#path))
  }
}

function readKept(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
