import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subject } from '../contract/subject.ts'
import { type BubblewrapOptions, openBubblewrapRuntime } from './runtime.ts'

/** Uids that no account of a host has; one test file's hives run one after the other. */
const FIRST_UID = 1_950_000_000

/** A bubblewrap runtime in a directory of its own, for tests: small logs, everything removed at the end. */
export async function openBubblewrapSubject(
  options: Partial<BubblewrapOptions> = {},
): Promise<Subject & { readonly stateDir: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'hive-containers-'))
  chmodSync(directory, 0o711)
  const stateDir = join(directory, 'containers')
  const scratch = join(directory, 'scratch')
  mkdirSync(scratch)
  chmodSync(scratch, 0o711)
  const open = () => openBubblewrapRuntime({ stateDir, maxLogBytes: 4 * 1024 * 1024, ...options })
  const runtime = open()
  return {
    runtime,
    stateDir,
    scratch,
    uidOf: (n) => (process.getuid?.() === 0 ? FIRST_UID + n : undefined),
    reopen: open,
    starter: [process.execPath, join(import.meta.dirname, 'test-daemon.ts'), stateDir],
    async [Symbol.asyncDispose]() {
      const containers = await runtime.list()
      await Promise.all(containers.map(({ name }) => runtime.remove(name)))
      rmSync(directory, { recursive: true })
    },
  }
}
