import { dirname } from 'node:path'
import type { LogUnit } from '../../wire/housekeeping.ts'
import { containerName } from '../../wire/names.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import { companionLog } from '../companion.ts'
import { readLogs } from '../containers/log-reader.ts'
import type { ContainerRuntime, LogLine } from '../containers/runtime.ts'

export interface UnitLogDeps {
  readonly registry: Pick<AgentRegistry, 'has' | 'get'>
  readonly runtime: Pick<ContainerRuntime, 'logs'>
  readonly stateDir: string
}

/** Of the lines of one stream in a reply: characters of JSON, in which one of theirs may take six. */
const MAX_STREAM_CHARACTERS = 1024 * 1024

/** The last `tail` lines of an agent's container or of a companion, as far as a reply has room for them. Throws `not_found`. */
export async function readUnitLog(deps: UnitLogDeps, unit: LogUnit, tail: number): Promise<LogLine[]> {
  return newest(await Array.fromAsync(linesOf(deps, unit, tail)))
}

/** An agent that has the name of a companion is meant itself. */
function linesOf({ registry, runtime, stateDir }: UnitLogDeps, unit: LogUnit, tail: number): AsyncIterable<LogLine> {
  if ((unit !== 'gateway' && unit !== 'model') || registry.has(unit)) {
    registry.get(unit)
    return runtime.logs(containerName(unit), { tail })
  }
  const file = companionLog(stateDir, unit)
  return readLogs({ path: dirname(file), files: { stdout: file } }, { tail })
}

/** The newest lines of each stream that a reply has room for. */
function newest(lines: readonly LogLine[]): LogLine[] {
  const room = { stdout: MAX_STREAM_CHARACTERS, stderr: MAX_STREAM_CHARACTERS }
  const kept = lines.toReversed().filter((line) => {
    room[line.stream] -= JSON.stringify(line).length
    return room[line.stream] >= 0
  })
  return kept.reverse()
}
