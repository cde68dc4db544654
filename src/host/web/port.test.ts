import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { freePort } from '../../kit/free-port-in-test.ts'
import { createLog } from '../../kit/log.ts'
import { Problems } from '../problems.ts'
import { openPort } from './port.ts'

const log = createLog('fatal')
const open = (port: number, problems: Problems) =>
  openPort({
    port,
    addresses: ['127.0.0.1', '::1'],
    name: `port ${port}`,
    listener: (_, outgoing) => void outgoing.end('here'),
    tls: undefined,
    problems,
    log,
  })
const answer = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`)).text()

/** A program that has a port. */
async function occupy() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    async leave() {
      server.close()
      await once(server, 'close')
    },
  }
}

test('a port that another has is a problem until it is free, and is taken then', async () => {
  const problems = new Problems()
  const other = await occupy()
  await using port = open(other.port, problems)
  await port.tried
  assert.equal(port.isBound('127.0.0.1'), false)
  const [problem] = problems.list()
  assert.match(problem?.problem ?? '', /127\.0\.0\.1 port \d+ is in use by another program/)
  assert.equal(problem?.where, `port ${other.port}`)
  await other.leave()
  while (problems.list().length > 0) await nextTurn()
  assert.equal(port.isBound('127.0.0.1'), true)
  assert.equal(await answer(other.port), 'here')
})

test('closes with its problem while it waits, and frees what it had', async () => {
  const problems = new Problems()
  const other = await occupy()
  {
    await using waiting = open(other.port, problems)
    await waiting.tried
    assert.equal(problems.list().length, 1)
  }
  assert.deepEqual(problems.list(), [])
  await other.leave()
  for (let round = 0; round < 2; round += 1) {
    await using port = open(other.port, problems)
    await port.tried
    assert.equal(await answer(other.port), 'here')
  }
})

test('answers however many only connect', { timeout: 30_000 }, async () => {
  const number = await freePort()
  await using port = open(number, new Problems())
  await port.tried
  const silent: Socket[] = []
  try {
    for (let count = 0; count < 1100; count += 1) {
      const socket = connect(number, '127.0.0.1').on('error', () => {
        // Those that were too many are closed.
      })
      silent.push(socket)
      await once(socket, 'connect')
    }
    assert.equal(await answer(number), 'here')
  } finally {
    for (const socket of silent) socket.destroy()
  }
})
