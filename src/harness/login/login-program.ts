import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText } from '../../wire/errors.ts'
import type { LoginFlow, LoginMethod } from '../../wire/logins.ts'

/** How the login goes, as the daemon is told. */
export type LoginReport = Pick<LoginFlow, 'state' | 'url' | 'output' | 'problem'>

export interface LoginProgramOptions {
  /** The program of Claude Code. */
  readonly path: string
  readonly env: () => Readonly<Record<string, string>>
  readonly cwd: string
  /** Why no login can be made now; undefined when one can. */
  readonly findObstacle?: () => string | undefined
  /** Called when the program says that it is logged in. Gives why the engine has no login all the same, if so. */
  readonly onLoggedIn: () => Promise<string | undefined>
  readonly onChange: () => void
  /** How long the operator may take. */
  readonly timeoutMs?: number
  /** Between the steps to end the program. */
  readonly patienceMs?: number
}

interface Run {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<void>
  readonly timeout: NodeJS.Timeout
  /** What it wrote, URL and secrets included. */
  text: string
  /** The last that it wrote to stderr since the last code. */
  complaint: string
  refusal: NodeJS.Timeout | undefined
  /** Why we ended it. */
  stopped: 'cancelled' | 'timeout' | 'replaced' | undefined
}

const TIMEOUT_MS = 15 * 60_000
const PATIENCE_MS = 2_000
/** A program that complains and lives on waits for another code; one that fails says why just before it ends. */
const REFUSAL_MS = 1_000
const MAX_TEXT = 64 * 1024
const MAX_OUTPUT = 8_000
const MAX_PROBLEM = 1_000
const NONE: LoginReport = { state: 'cancelled', url: null, output: '', problem: null }

/**
 * Runs `claude auth login` over pipes, one at a time: it shows a URL, takes a code on stdin, and writes the credentials itself.
 * No code and no token is in what is told of it.
 */
export class LoginProgram {
  readonly #options: LoginProgramOptions
  #run: Run | undefined
  #report = NONE
  /** Never shown. */
  #codes: string[] = []

  constructor(options: LoginProgramOptions) {
    this.#options = options
  }

  /** How the last login went, or goes. */
  get report(): LoginReport {
    return this.#report
  }

  /** Begins a login; one that goes on is ended for it. Resolves when the program was started. */
  async start(method: LoginMethod): Promise<void> {
    await this.#end('replaced')
    this.#codes = []
    const obstacle = this.#options.findObstacle?.()
    if (obstacle !== undefined) return this.#tell({ ...NONE, state: 'failed', problem: obstacle })
    this.#run = this.#spawn(method)
    this.#tell({ ...NONE, state: 'starting' })
  }

  /** Hands a code over. Nothing happens when none is waited for. */
  code(code: string): void {
    const run = this.#run
    if (!run || this.#report.state !== 'waiting') return
    this.#codes.push(code)
    run.complaint = ''
    this.#tell({ ...this.#report, state: 'checking', problem: null })
    run.child.stdin.write(`${code}\n`)
  }

  /** Ends the login in progress; resolves when its program is gone. */
  cancel(): Promise<void> {
    return this.#end('cancelled')
  }

  #spawn(method: LoginMethod): Run {
    const { path, env, cwd, timeoutMs = TIMEOUT_MS } = this.#options
    // A group of its own: what it starts, as a browser, ends with it.
    const child = spawn(path, ['auth', 'login', `--${method}`], { cwd, env: env(), stdio: 'pipe', detached: true })
    const ended = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        if (child.pid !== undefined) return
        run.complaint = errorText(error)
        resolve(this.#onEnd(run, null))
      })
      // What it left behind may hold its pipes open.
      child.once('exit', () => killGroup(child, 'SIGKILL'))
      child.once('close', (code) => resolve(this.#onEnd(run, code)))
    })
    const timeout = setTimeout(() => void this.#end('timeout'), timeoutMs).unref()
    const run: Run = { child, ended, timeout, text: '', complaint: '', refusal: undefined, stopped: undefined }
    // It may end while we write; its end is what counts.
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => this.#hear(run, chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => this.#hear(run, chunk, { isComplaint: true }))
    return run
  }

  #hear(run: Run, chunk: string, { isComplaint = false } = {}): void {
    run.text = (run.text + chunk).slice(-MAX_TEXT)
    if (isComplaint) run.complaint = (run.complaint + chunk).slice(-MAX_PROBLEM)
    if (run !== this.#run) return
    const output = this.#clean(run.text).slice(-MAX_OUTPUT)
    // Its end is in sight only with what follows.
    const url = this.#report.url ?? /https?:\/\/\S+(?=\s)/.exec(run.text)?.[0] ?? null
    const { state } = this.#report
    this.#tell({ ...this.#report, url, output, state: state === 'starting' && url !== null ? 'waiting' : state })
    if (isComplaint && state === 'checking') run.refusal ??= setTimeout(() => this.#refuse(run), REFUSAL_MS)
  }

  #refuse(run: Run): void {
    run.refusal = undefined
    if (run === this.#run) this.#tell({ ...this.#report, state: 'waiting', problem: this.#clean(run.complaint) })
  }

  async #onEnd(run: Run, code: number | null): Promise<void> {
    clearTimeout(run.timeout)
    clearTimeout(run.refusal)
    if (run !== this.#run) return
    this.#run = undefined
    // What is begun instead is told.
    if (run.stopped === 'replaced') return
    const problem = run.stopped === undefined ? await this.#problemOf(run, code) : STOPPED[run.stopped]
    const state = run.stopped === 'cancelled' ? 'cancelled' : problem === null ? 'done' : 'failed'
    // Meanwhile a new one may have begun.
    if (this.#run === undefined) this.#tell({ ...this.#report, state, url: null, problem })
  }

  async #problemOf(run: Run, code: number | null): Promise<string | null> {
    if (code === 0) return (await this.#options.onLoggedIn()) ?? null
    return this.#clean(run.complaint) || `claude auth login ended with ${code === null ? 'a signal' : `code ${code}`}`
  }

  async #end(why: NonNullable<Run['stopped']>): Promise<void> {
    const run = this.#run
    if (!run) return
    run.stopped ??= why
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      killGroup(run.child, signal)
      const isOver = await Promise.race([run.ended.then(() => true), sleep(this.#options.patienceMs ?? PATIENCE_MS)])
      if (isOver) return
    }
  }

  #tell(report: LoginReport): void {
    this.#report = report
    this.#options.onChange()
  }

  /** Without links, codes and tokens. */
  #clean(text: string): string {
    const withoutCodes = this.#codes.reduce((left, code) => left.replaceAll(code, '[code]'), text)
    return withoutCodes
      .replace(/https?:\/\/\S+/g, '[link]')
      .replace(/sk-ant-[\w-]+/g, '[token]')
      .trim()
  }
}

const STOPPED = { cancelled: null, timeout: 'no code came in time' } as const

function killGroup({ pid }: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It is gone already; its end is what is waited for.
  }
}
