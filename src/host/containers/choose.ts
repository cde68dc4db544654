import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../kit/log.ts'
import { HiveError } from '../../wire/errors.ts'
import { openBubblewrapRuntime } from './bubblewrap/runtime.ts'
import type { ContainerRuntime, Probe } from './runtime.ts'

/** Opens the runtime that was asked for, or the first that works here. Throws `unavailable` with the fix when none does. */
export async function chooseRuntime(
  asked: 'auto' | 'bubblewrap' | 'fake',
  { stateDir, log }: { stateDir: string; log: Log },
): Promise<ContainerRuntime> {
  if (asked === 'fake') throw new HiveError('bad_input', 'the fake runtime is for tests of the runtime contract only')
  const runtime = await openBubblewrapRuntime({ stateDir, log })
  const probe = await runtime.probe()
  if (probe.ok) return runtime
  const problems = probe.problems.map(({ what, fix }) => `${what} (fix: ${fix})`).join('; ')
  throw new HiveError('unavailable', `agents cannot be sandboxed here: ${problems}`, {
    hint: 'hive doctor shows every precondition',
  })
}

/** Whether agents can be sandboxed on this machine. Needs no hive and leaves nothing behind in `parent`. */
export async function probeSandbox(parent = '/tmp'): Promise<Probe> {
  // Not in the TMPDIR of whoever asks: the uid of the sandbox has to get there.
  const directory = mkdtempSync(join(parent, 'hive-probe-'))
  try {
    chmodSync(directory, 0o711)
    return await openBubblewrapRuntime({ stateDir: directory }).probe()
  } finally {
    rmSync(directory, { recursive: true })
  }
}
