import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectOps } from '../../src/kit/op-client.ts'
import { brokerOps } from './broker-ops.ts'
import { installPackage } from './install-package.ts'

const findFaketime = () => globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0]
/** The first backoff is 2.5 to 5 s. */
const SHORTEST_MS = 2_500

test('a clock that is set neither hurries nor holds up a retry, nor loses anything', {
  timeout: 120_000,
}, async (t) => {
  if (!findFaketime()) await installPackage('libfaketime')
  const library = findFaketime()
  if (!library) return t.skip('libfaketime (Debian package libfaketime) is missing')
  const directory = mkdtempSync(join(tmpdir(), 'clock-'))
  const socket = join(directory, 's.sock')
  const offset = join(directory, 'offset')
  const setClock = (by: string) => writeFileSync(offset, by)
  setClock('+0')
  const program = join(import.meta.dirname, 'broker-program.ts')
  const server = spawn(process.execPath, [program, join(directory, 'hive.sqlite'), socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  })
  try {
    await once(server.stdout, 'data')
    await using connection = await connectOps(brokerOps, socket)
    const { call } = connection
    const { epoch } = await call.hello({ agent: 'a1' })
    for (const step of ['+10d', '-20d']) {
      const { ids } = await call.send({ from: 's', to: 'a1', body: step, key: step })
      await call.recv({ agent: 'a1', epoch, waitMs: 10_000 })
      await call.release({ agent: 'a1', epoch, ids })
      const released = performance.now()
      setClock(step)
      const [message] = (await call.recv({ agent: 'a1', epoch, waitMs: 60_000 })).messages
      assert.ok(performance.now() - released >= SHORTEST_MS - 50, `after ${step} it came at once`)
      assert.deepEqual([message?.id, message?.attempt], [ids[0], 2])
      await call.ack({ agent: 'a1', epoch, ids })
    }
    const { messages } = await call.rows({})
    assert.ok(Math.abs((messages[1]?.doneAt ?? 0) - (messages[0]?.doneAt ?? 0)) > 20 * 86_400_000, 'the clock was set')
    assert.deepEqual(
      messages.map(({ state }) => state),
      ['done', 'done'],
    )
  } finally {
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
    rmSync(directory, { recursive: true })
  }
})
