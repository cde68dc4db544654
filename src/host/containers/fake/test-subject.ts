import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subject } from '../contract/subject.ts'
import { openFakeRuntime } from './runtime.ts'

/** A fake runtime with a scratch directory, for tests. It cannot be opened a second time. */
export async function openFakeSubject(): Promise<Subject> {
  const scratch = mkdtempSync(join(tmpdir(), 'hive-fake-'))
  const runtime = openFakeRuntime()
  return {
    runtime,
    scratch,
    uidOf: () => undefined,
    reopen: () => runtime,
    starter: ['false'],
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]()
      rmSync(scratch, { recursive: true })
    },
  }
}
