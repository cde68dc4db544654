import type { Readable, Writable } from 'node:stream'

/**
 * What every container runtime does for the daemon. One folder per runtime, one contract suite for all (`contract.ts`).
 * Nothing in a container may depend on the daemon being alive; a runtime re-adopts what it started before.
 */
export interface ContainerRuntime {
  readonly kind: 'bubblewrap' | 'nixos' | 'oci' | 'fake'

  /** Starts and stops a throw-away sandbox. Says what is missing, each problem with its fix. Never throws. */
  probe(): Promise<Probe>

  /** Turns one config commit into an artifact. Touches nothing that runs. Throws when the config is bad. */
  build(source: BuildSource, log: (line: string) => void, signal: AbortSignal): Promise<Deployment>

  /** Records the spec and the deployment to use from the next start on. Idempotent; does not start anything. */
  apply(spec: ContainerSpec, deployment: Deployment): Promise<void>

  /** Starts an applied container; resolves when its first process runs (not when its harness said hello). No-op if it runs. */
  start(name: string): Promise<ContainerStatus>

  /** Asks the first process to end (SIGTERM), kills the tree after `graceMs`. Resolves when nothing of it is left. No-op if it is down. */
  stop(name: string, options: { graceMs: number }): Promise<Exit | undefined>

  /** Ends the whole tree now. */
  kill(name: string): Promise<Exit | undefined>

  /** Ends it and forgets it, logs included. Never touches what was mounted into it. */
  remove(name: string): Promise<void>

  /**
   * All containers of this hive, running or not, whoever started them. One that cannot be looked at is `stopped`, without an
   * exit: it hides no other.
   */
  list(): Promise<ContainerStatus[]>

  /** Starts and ends as they happen, from the call on. Ends when `signal` aborts. */
  watch(signal: AbortSignal): AsyncIterable<ContainerEvent>

  /**
   * What the container wrote in this and earlier lives, oldest first within each stream; `tail` counts lines of each stream.
   * `follow` goes on until `signal` aborts, over new lives too. Throws `not_found`.
   */
  logs(name: string, options: LogOptions): AsyncIterable<LogLine>

  /**
   * Runs a command inside as the agent's own uid, without capabilities, within the container's limits. Throws `conflict`
   * when the container is down and `timeout` when the command was killed for taking too long.
   */
  exec(name: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>

  /**
   * Runs a command inside as `exec` does, for as long as it takes, with its streams open. It ends with the container and with
   * this process, however that ends. Throws `conflict` when the container is down.
   */
  openExec(name: string, argv: readonly string[]): Promise<OpenExec>
}

export interface Probe {
  readonly ok: boolean
  /** `what` is wrong and the `fix`, a command or a sentence. */
  readonly problems: readonly { what: string; fix: string }[]
  readonly version: string
  readonly limits: readonly ('memory' | 'cpu' | 'pids')[]
}

export interface BuildSource {
  readonly agent: string
  /** Directory with the files of the commit, owned by the daemon. */
  readonly directory: string
  /** Full commit id, or a marker where no commit exists yet. */
  readonly revision: string
}

/** What `build` made: `reference` is a config hash, a store path or an image id. */
export interface Deployment {
  readonly reference: string
  readonly revision: string
}

export interface Mount {
  readonly host: string
  readonly guest: string
  readonly readOnly: boolean
}

export interface ContainerSpec {
  /** Container name: `hm1nd` or `h-<agent>`. */
  readonly name: string
  /** Revision of the programs that it runs, for whoever wants to know which are in use. */
  readonly app: string
  readonly argv: readonly string[]
  /** No secrets: they travel in the reply to `hello`. */
  readonly env: Readonly<Record<string, string>>
  readonly mounts: readonly Mount[]
  /** Uid and gid on the host; 0 inside. Undefined: the daemon's own (it is an ordinary user). */
  readonly uid?: number
  readonly network: 'none' | 'host'
  readonly limits: Limits
}

export interface Limits {
  readonly memoryBytes?: number
  readonly cpus?: number
  readonly pids?: number
}

/** One life of a container; compared, never parsed. */
export type Incarnation = string

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
  readonly oom: boolean
}

export interface ContainerStatus {
  readonly name: string
  readonly state: 'created' | 'running' | 'stopped'
  /** While it runs the one that it was started with, else the one that was applied last. */
  readonly deployment: Deployment
  /** Likewise; absent when an older hive started it. */
  readonly app?: string
  readonly incarnation?: Incarnation
  /** Unix milliseconds. */
  readonly startedAt?: number
  /** Of the last life, when it has ended and the runtime knows how. */
  readonly exit?: Exit
  /** What went wrong with it lately beside that, such as a record that cannot be read; gone once it has been started well. */
  readonly problem?: string
}

export interface ContainerEvent {
  readonly name: string
  readonly type: 'started' | 'exited'
  readonly incarnation: Incarnation
  readonly exit?: Exit
}

export interface LogOptions {
  readonly tail?: number
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

export interface ExecOptions {
  /** Nobody waits for a stream to end once the command has. */
  readonly stdin?: string | Readable
  /** Default 60 s. */
  readonly timeoutMs?: number
  /** What comes after this many bytes of stdout, and of stderr, is thrown away; the command goes on. Default 1 MiB. */
  readonly maxBytes?: number
}

export interface ExecResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * A command that runs. Disposing ends it with all that it started, whatever that ignores; only what has also thrown its
 * environment away is not found. Nobody reading what it writes halts it.
 */
export interface OpenExec extends AsyncDisposable {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Its code once it has ended, 128 + n by signal n. */
  readonly ended: Promise<number>
}
