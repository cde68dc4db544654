import { posix } from 'node:path'
import { HiveError } from '../../wire/errors.ts'
import { containerName } from '../../wire/names.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'

const MAX_BYTES = 64 * 1024

/**
 * Lists the files of an agent's /state, or reads one. It happens inside the agent's container, as the agent:
 * the daemon opens nothing that an agent can write. Throws `not_found` and, when the agent is down, `conflict`.
 */
export async function readNotes(runtime: ContainerRuntime, agent: string, path: string | undefined): Promise<string> {
  const argv =
    path === undefined
      ? ['find', '/state', '-maxdepth', '4', '-type', 'f', '-not', '-path', '*/.git/*', '-printf', '%P\t%s bytes\n']
      : ['head', '-c', String(MAX_BYTES), '--', assertInside(path)]
  const { code, stdout, stderr } = await runtime.exec(containerName(agent), argv, {
    timeoutMs: 10_000,
    maxBytes: MAX_BYTES,
  })
  if (code !== 0) throw new HiveError('not_found', `cannot read the notes of ${agent}: ${stderr.trim()}`)
  return stdout
}

function assertInside(path: string): string {
  const full = posix.resolve('/state', path)
  if (!full.startsWith('/state/')) throw new HiveError('bad_input', 'the path leads out of /state')
  return full
}
