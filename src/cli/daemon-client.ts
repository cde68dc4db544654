import { statSync } from 'node:fs'
import { connectOps, type OpConnection } from '../kit/op-client.ts'
import { hivePaths, hostSocketPath } from '../kit/settings.ts'
import { errorText, HiveError } from '../wire/errors.ts'
import { hostOps } from '../wire/host-ops.ts'
import type { Client } from '../wire/op.ts'
import type { Cli, GlobalFlags } from './cli.ts'

export type HostConnection = OpConnection<typeof hostOps>
export type HostClient = Client<typeof hostOps>

/** The operator's socket that these flags mean. */
export const socketOf = (cli: Pick<Cli, 'env' | 'uid'>, flags: GlobalFlags): string =>
  hostSocketPath(hivePaths(flags, cli.env, cli.uid).runDir)

/** Connects to the daemon. Throws `unreachable`, saying what is wrong with the socket and how to start a hive. */
export async function connectDaemon(cli: Pick<Cli, 'env' | 'uid'>, flags: GlobalFlags): Promise<HostConnection> {
  const path = socketOf(cli, flags)
  try {
    return await connectOps(hostOps, path)
  } catch (error) {
    throw explainUnreachable(path, error)
  }
}

/** Whether there is no daemon, or no longer one, at the other end. */
export const isUnreachable = (error: unknown): boolean => error instanceof HiveError && error.code === 'unreachable'

/** Connects, calls, and closes the connection. */
export async function withDaemon<T>(cli: Cli, flags: GlobalFlags, use: (call: HostClient) => Promise<T>): Promise<T> {
  await using connection = await connectDaemon(cli, flags)
  return await use(connection.call)
}

/** Makes of a failed connect what the operator can act on. */
export function explainUnreachable(path: string, error: unknown): HiveError {
  const cause = error instanceof HiveError ? error.cause : error
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return new HiveError('unreachable', `cannot reach the hive daemon: ${describeSocket(path, code, errorText(cause))}`, {
    hint: [
      'hive up                      starts one here',
      'systemctl status hive-c0re   shows one that runs as a service',
      '--state-dir, --run-dir       name one that lives elsewhere',
    ].join('\n'),
    cause: error,
  })
}

function describeSocket(path: string, code: string | undefined, reason: string): string {
  if (code === 'ENOENT') return `there is no socket ${path}`
  if (code === 'ECONNREFUSED') return `nobody listens on ${path}, its daemon has ended`
  if (code === 'EACCES' || code === 'EPERM') return `you may not open ${path}${ownerOf(path)}`
  return `${path}: ${reason}`
}

function ownerOf(path: string): string {
  try {
    const { mode, uid } = statSync(path)
    return ` (mode ${(mode & 0o777).toString(8).padStart(4, '0')}, owner uid ${uid})`
  } catch {
    return '' // Its directory is closed to us too.
  }
}
