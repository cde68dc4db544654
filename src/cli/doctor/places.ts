import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorText } from '../../wire/errors.ts'
import { longestSocket, MAX_SOCKET_BYTES } from '../socket-path.ts'
import { type Check, fail, ok, type Patient, warn } from './check.ts'

const MIB = 1024 * 1024
/** node and claude take half of it where they cannot be hard-linked. */
const FREE_MIB = { needed: 500, wanted: 4096 }

/** Whether the daemon and its agents can live in the state directory. */
export function checkStateDir({ settings: { stateDir }, cli: { uid } }: Patient): Check {
  const existing = nearestExisting(stateDir)
  const isNew = existing !== stateDir
  const refusal = refusalOf(stateDir, uid)
  if (refusal) return fail('state', refusal, 'choose another with --state-dir, or run as its owner')
  const mode = statSync(existing).mode & 0o7777
  if (!isNew && (mode & 0o022) !== 0) {
    return fail('state', `others may write to ${stateDir} (mode ${octal(mode)})`, `chmod 711 ${stateDir}`)
  }
  // As root each agent has a uid of its own, which has to get there.
  const closed = uid === 0 ? ancestors(existing).find((path) => (statSync(path).mode & 0o001) === 0) : undefined
  if (closed) {
    return fail('state', `agents cannot get to ${stateDir}: ${closed} is closed to them`, `chmod o+x ${closed}`)
  }
  return ok('state', isNew ? `${stateDir}, made at the first start` : `${stateDir}, mode ${octal(mode)}`)
}

/** Whether the daemon can put its sockets into the run directory. */
export function checkRunDir({ settings: { runDir }, cli: { uid } }: Patient): Check {
  const refusal = refusalOf(runDir, uid)
  if (refusal) return fail('run', refusal, 'choose another with --run-dir, or run as its owner')
  return ok('run', existsSync(runDir) ? runDir : `${runDir}, made at the start`)
}

/** Why the daemon cannot use a directory, which it makes when there is none, and sets the mode of. */
function refusalOf(directory: string, uid: number): string | undefined {
  const existing = nearestExisting(directory)
  try {
    accessSync(existing, constants.W_OK | constants.X_OK)
  } catch (error) {
    return `${directory}: ${errorText(error)}`
  }
  const owner = statSync(existing).uid
  return existing === directory && uid !== 0 && owner !== uid ? `${directory} belongs to uid ${owner}` : undefined
}

export function checkFreeSpace({ settings: { stateDir } }: Patient): Check {
  const place = nearestExisting(stateDir)
  const { bavail, bsize } = statfsSync(place)
  const freeMiB = Math.floor((bavail * bsize) / MIB)
  const detail = `${freeMiB} MiB free at ${place}`
  if (freeMiB < FREE_MIB.needed) return fail('disk', detail, `free ${FREE_MIB.needed} MiB at least`)
  return freeMiB < FREE_MIB.wanted ? warn('disk', detail, 'agents may need more') : ok('disk', detail)
}

/** Whether the sockets of agents have names short enough for the kernel. */
export function checkSocketPath({ settings: { runDir } }: Patient): Check {
  const { path, bytes } = longestSocket(runDir)
  return bytes <= MAX_SOCKET_BYTES
    ? ok('sockets', `${runDir}, ${bytes} of ${MAX_SOCKET_BYTES} bytes at most`)
    : fail('sockets', `${path} has ${bytes} bytes, ${MAX_SOCKET_BYTES} are allowed`, 'choose a shorter --run-dir')
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')

const nearestExisting = (path: string): string => (existsSync(path) ? path : nearestExisting(dirname(path)))

const ancestors = (path: string): string[] => (path === dirname(path) ? [path] : [path, ...ancestors(dirname(path))])
