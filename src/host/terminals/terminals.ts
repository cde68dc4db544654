import { randomUUID } from 'node:crypto'
import type { Log } from '../../kit/log.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { containerName, OPERATOR } from '../../wire/names.ts'
import { MAX_TERMINAL_BYTES } from '../../wire/terminals.ts'
import type { Actor, AuditLog } from '../audit-log.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { openShell, type Size } from './shell.ts'
import { Terminal } from './terminal.ts'

export interface TerminalsOptions {
  /** The operator wants them: setting `terminal`. */
  readonly isOn: boolean
  readonly runtime: Pick<ContainerRuntime, 'exec' | 'openExec'>
  readonly audit: Pick<AuditLog, 'note'>
  readonly log: Log
  /** One that nobody reads for so long ends. */
  readonly idleMs?: number
}

/** A browser has six connections to a hive: each terminal waits with one, one is the stream, one is left for deeds. */
const MAX_OPEN = 4
const MAX_OPEN_PER_AGENT = 2
const IDLE_MS = 60_000

/**
 * The operator's shells in agents' sandboxes. No shell is opened before the audit log says so, and none outlives its
 * container, its reader, or this daemon.
 */
export class Terminals implements AsyncDisposable {
  readonly #options: TerminalsOptions
  /** Those that have ended too, until nobody reads them any more. */
  readonly #terminals = new Map<string, Terminal>()
  /** Agents for which one is being opened. */
  readonly #opening: string[] = []
  #isHalted = false

  constructor(options: TerminalsOptions) {
    this.#options = options
  }

  /**
   * Opens a shell and gives its id. Throws `forbidden` when terminals are off, `too_many` when enough are open, `conflict`
   * when the agent is not running, `unavailable` when no shell comes up.
   */
  async open(agent: string, size: Size): Promise<string> {
    const left = this.#findRoom(agent)
    const { runtime, audit, idleMs = IDLE_MS } = this.#options
    const id = randomUUID()
    this.#opening.push(agent)
    try {
      if (left !== undefined) await this.#end(left, 'its reader went away, and another was opened', 'system')
      await audit.note({ actor: OPERATOR, verb: 'terminal_open', agent, detail: { terminal: id } })
      const shell = await openShell(runtime, containerName(agent), size)
      const onIdle = () => void this.#endByItself(id, 'nobody read it').then(() => this.#forget(id))
      const terminal = new Terminal({ agent, shell, idleMs, onIdle, maxReadBytes: MAX_TERMINAL_BYTES })
      this.#terminals.set(id, terminal)
      void shell.ended.then((code) => this.#endByItself(id, code === 137 ? 'the shell was killed' : 'the shell ended'))
      if (this.#isHalted) await this.#end(id, 'the hive stops', 'system')
      return id
    } catch (error) {
      const why = error instanceof HiveError ? error.code : 'internal'
      await audit.note({ actor: 'system', verb: 'terminal_close', agent, detail: { terminal: id, why } })
      throw error
    } finally {
      this.#opening.splice(this.#opening.indexOf(agent), 1)
    }
  }

  /** Throws `not_found`. */
  get(id: string): Terminal {
    const terminal = this.#terminals.get(id)
    if (!terminal) {
      throw new HiveError('not_found', `there is no terminal ${id}`, {
        hint: 'one that nobody reads for a minute ends, and all end with the daemon: open another',
      })
    }
    return terminal
  }

  /** Ends a terminal for the operator; what it wrote can still be read. Throws `not_found`. */
  async close(id: string): Promise<void> {
    this.get(id)
    await this.#end(id, 'it was closed', OPERATOR)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isHalted = true
    await Promise.all(
      [...this.#terminals.keys()].map(async (id) => {
        await this.#end(id, 'the hive stops', 'system')
        this.#forget(id)
      }),
    )
  }

  /** Gives the terminal that has to make way for another one of an agent: one whose page was closed, say. */
  #findRoom(agent: string): string | undefined {
    if (!this.#options.isOn) {
      throw new HiveError('forbidden', 'terminals are off', {
        hint: '"terminal": true in the config file of the hive allows them, from the next start of the daemon on',
      })
    }
    if (this.#isHalted) throw new HiveError('unavailable', 'the hive stops')
    const open = [...this.#terminals].filter(([, { isOver }]) => !isOver)
    const ofAgent = open.filter(([, terminal]) => terminal.agent === agent)
    const openingOfAgent = this.#opening.filter((other) => other === agent)
    const findLeft = (among: typeof open) => among.find(([, { isLeft }]) => isLeft)?.[0]
    if (ofAgent.length + openingOfAgent.length >= MAX_OPEN_PER_AGENT) {
      return findLeft(ofAgent) ?? refuse(`${MAX_OPEN_PER_AGENT} terminals of ${agent}`)
    }
    if (open.length + this.#opening.length >= MAX_OPEN) return findLeft(open) ?? refuse(`${MAX_OPEN} terminals`)
    return undefined
  }

  /** Nobody asked for it, so that nobody but the log can be told what fails. */
  async #endByItself(id: string, why: string): Promise<void> {
    try {
      await this.#end(id, why, 'system')
    } catch (error) {
      this.#options.log.error({ terminal: id, error: errorText(error) }, 'the end of a terminal could not be noted')
    }
  }

  async #end(id: string, why: string, actor: Actor): Promise<void> {
    const terminal = this.#terminals.get(id)
    if (!terminal || terminal.isOver) return
    const { agent } = terminal
    const { audit, log } = this.#options
    try {
      await terminal.end(why)
    } catch (error) {
      log.error({ agent, error: errorText(error) }, 'a terminal was closed, and something of it may still run')
    }
    await audit.note({ actor, verb: 'terminal_close', agent, detail: { terminal: id, why } })
  }

  #forget(id: string): void {
    this.#terminals.get(id)?.forget()
    this.#terminals.delete(id)
  }
}

function refuse(what: string): never {
  throw new HiveError('too_many', `${what} are open already`, { hint: 'close one' })
}
