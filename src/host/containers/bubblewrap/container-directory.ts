import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { errorText, HiveError } from '../../../wire/errors.ts'
import type { ContainerSpec, Deployment } from '../runtime.ts'
import { type BwrapStatus, parseStatus } from './bwrap-status.ts'

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'is no container name')
export const isContainerName = (name: string): boolean => Name.safeParse(name).success
const AbsolutePath = z.string().regex(/^\/[^\0]*$/, 'must be absolute')
const GuestPath = AbsolutePath.refine((path) => !path.split('/').includes('..'), 'must not hold ..')
const Text = z.string().refine((text) => !text.includes('\0'), 'must not hold NUL')

/** Uid 0 is refused: a sandbox of the host's root is none. */
const Spec = z.object({
  name: Name,
  app: Text,
  argv: z.array(Text).min(1),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), Text),
  mounts: z.array(z.object({ host: AbsolutePath, guest: GuestPath, readOnly: z.boolean() })),
  uid: z.number().int().positive().optional(),
  network: z.enum(['none', 'host']),
  limits: z.object({
    memoryBytes: z.number().int().positive().optional(),
    cpus: z.number().positive().optional(),
    pids: z.number().int().positive().optional(),
  }),
}) satisfies z.ZodType<ContainerSpec>

/** Stands for a deployment whose record cannot be read; the next `apply` writes a new one. */
const UNREADABLE: Deployment = { reference: 'unreadable', revision: 'unreadable' }

const DeploymentRecord = z.object({ reference: z.string(), revision: z.string() }) satisfies z.ZodType<Deployment>

const Process = z.object({ pid: z.number().int().positive(), startTime: z.string() })

/** One life of a container: enough to find it again after the daemon died. */
const Run = z.object({
  incarnation: z.string(),
  /** Pids and start times mean nothing after a boot. */
  bootId: z.string(),
  /** Unix milliseconds. */
  startedAt: z.number(),
  oomKillsBefore: z.number().int(),
  /** What it was started with; what was applied since then counts from the next life on. */
  deployment: DeploymentRecord,
  app: Spec.shape.app.optional(),
  uid: Spec.shape.uid,
  network: Spec.shape.network,
  /** Absent while the sandbox is being started. */
  processes: z.object({ monitor: Process, init: Process, payload: Process }).optional(),
})
export type Run = z.infer<typeof Run>
export type RunProcesses = NonNullable<Run['processes']>
/** A run whose processes are known. */
export type Life = Run & { readonly processes: RunProcesses }

export type ContainerDirectory = ReturnType<typeof createContainerDirectory>

/**
 * The files of one container. Only the daemon can read or write them; the container writes its logs through a descriptor.
 * A record of a life that cannot be read is told to `onUnreadable` and stops nothing.
 */
export function createContainerDirectory(stateDir: string, name: string, onUnreadable: (error: unknown) => void) {
  const path = join(stateDir, check(Name, name, 'the name of a container'))
  const files = {
    spec: join(path, 'spec.json'),
    deployment: join(path, 'deployment.json'),
    run: join(path, 'run.json'),
    status: join(path, 'status'),
    args: join(path, 'bwrap.args'),
    seccomp: join(path, 'seccomp.bpf'),
    stdout: join(path, 'stdout.log'),
    stderr: join(path, 'stderr.log'),
  }
  const unless = <T, U>(read: () => T, fallback: U): T | U => {
    try {
      return read()
    } catch (error) {
      onUnreadable(error)
      return fallback
    }
  }
  return {
    name,
    path,
    files,
    exists: (): boolean => existsSync(files.deployment) || existsSync(files.run),
    /** Throws `not_found` when it was never applied. */
    readSpec(): ContainerSpec {
      if (!existsSync(files.deployment)) throw new HiveError('not_found', `there is no container ${name}`)
      return readRecord(Spec, files.spec)
    },
    readDeployment: (): Deployment => unless(() => readRecord(DeploymentRecord, files.deployment), UNREADABLE),
    /** Throws `bad_input` when the spec cannot be used. */
    write(spec: ContainerSpec, deployment: Deployment): void {
      const checked = check(Spec, spec, `the spec of ${name}`)
      mkdirSync(path, { recursive: true, mode: 0o700 })
      writeAtomically(files.spec, JSON.stringify(checked, null, 2))
      // Second: where it is, the spec is too.
      writeAtomically(files.deployment, JSON.stringify(deployment))
    },
    /** Undefined when it never ran. */
    readRun: (): Run | 'unreadable' | undefined =>
      existsSync(files.run) ? unless(() => readRecord(Run, files.run), 'unreadable') : undefined,
    writeRun: (run: Run): void => writeAtomically(files.run, JSON.stringify(run)),
    forgetRun: (): void => rmSync(files.run, { force: true }),
    /** Undefined when it cannot be read: then nobody knows how the life ended. */
    readStatus: (): BwrapStatus | undefined =>
      existsSync(files.status) ? unless(() => decode(files.status, parseStatus), undefined) : {},
    /** Makes way for a new life: an empty status, new arguments, a system call filter. */
    reset(args: readonly string[], seccomp: Buffer): void {
      writeFileSync(files.status, '', { mode: 0o600 })
      writeAtomically(files.args, args.map((arg) => `${arg}\0`).join(''))
      writeAtomically(files.seccomp, seccomp)
    },
    remove: (): void => rmSync(path, { recursive: true, force: true }),
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  throw new HiveError('bad_input', `${what} is not valid: ${z.prettifyError(error).replaceAll('\n', ' ')}`)
}

const readRecord = <T>(schema: z.ZodType<T>, file: string): T => decode(file, (text) => schema.parse(JSON.parse(text)))

function decode<T>(file: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new HiveError('internal', `${file} cannot be read: ${errorText(cause)}`, {
      hint: 'move the file away; the container is made anew at its next start',
      cause,
    })
  }
}

/** All of the content or none of it is there after a power cut. */
function writeAtomically(file: string, content: string | Buffer): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}
