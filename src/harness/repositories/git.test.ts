import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HiveError } from '../../wire/errors.ts'
import { Git } from './git.ts'
import { makeRoom } from './test-room.ts'

/** Resolves when the process is gone; one that nobody has waited for yet is. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return
    } catch (error) {
      // Gone between opening and reading, too.
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return
      throw error
    }
    await sleep(5)
  }
}

const hasCode = (code: string) => (error: unknown) => error instanceof HiveError && error.code === code

describe('git of the manager’s harness', { timeout: 30_000 }, () => {
  test('that takes too long is ended', async () => {
    using room = makeRoom()
    room.git(room.places.home, 'config', '--global', 'alias.hang', '!sleep 600')
    const hang = new Git(room.places).run(room.places.proposed, ['hang'], { timeoutMs: 100 })
    await assert.rejects(hang, hasCode('timeout'))
  })

  test('that says too much is ended with all that it began', async () => {
    using room = makeRoom()
    const pidFile = join(room.places.home, 'pid')
    room.git(room.places.home, 'config', '--global', 'alias.flood', `!sleep 600 & echo $! > '${pidFile}'; yes`)
    const flood = new Git(room.places).run(room.places.proposed, ['flood'], { maxBytes: 100_000 })
    await assert.rejects(flood, hasCode('too_large'))
    await ended(Number(readFileSync(pidFile, 'utf8')))
  })

  test('is over when it is, whoever still holds its output', async () => {
    using room = makeRoom()
    room.git(room.places.home, 'config', '--global', 'alias.leave', '!sleep 600 & echo $!')
    const pid = Number(await new Git(room.places).run(room.places.proposed, ['leave']))
    process.kill(pid)
  })

  test('that fails tells why', async () => {
    using room = makeRoom()
    const log = new Git(room.places).run(room.places.proposed, ['log'])
    await assert.rejects(log, /git log failed in .*proposed: fatal: not a git repository/)
  })
})
