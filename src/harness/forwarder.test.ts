import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createConnection, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { openForwarder } from './forwarder.ts'

/** A forwarder, and the server within it. */
async function openBench() {
  const directory = mkdtempSync(join(tmpdir(), 'forwarder-'))
  const socket = join(directory, 'egress.sock')
  const servers: Server[] = []
  const watch = { asyncEnd: ({ server }: { server: Server }) => void servers.push(server) }
  const channel = tracingChannel('net.server.listen') as never as {
    subscribe(watch: object): void
    unsubscribe(watch: object): void
  }
  channel.subscribe(watch)
  const errors: Error[] = []
  const forwarder = await openForwarder({ port: 0, socket, onError: (error) => errors.push(error) })
  channel.unsubscribe(watch)
  const [server] = servers
  assert.ok(server)
  let gateway: Server | undefined
  return {
    server,
    errors,
    /** Answers everything with itself. */
    async openGateway() {
      gateway = createServer({ allowHalfOpen: true }, (client) => client.pipe(client))
      await new Promise<void>((resolve) => gateway?.listen(socket, resolve))
    },
    async ask(question: string): Promise<string> {
      const client = createConnection({
        port: (server.address() as AddressInfo).port,
        host: '127.0.0.1',
        allowHalfOpen: true,
      })
      client.end(question)
      return text(client)
    },
    async [Symbol.asyncDispose]() {
      await forwarder[Symbol.asyncDispose]()
      gateway?.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

test('passes both directions on, each to its end', { timeout: 10_000 }, async () => {
  await using bench = await openBench()
  await bench.openGateway()
  assert.equal(await bench.ask('hello'), 'hello')
})

test('says that the gateway is away, and serves when it is back', { timeout: 10_000 }, async () => {
  await using bench = await openBench()
  assert.match(await bench.ask('hello'), /^HTTP\/1.1 502/)
  await bench.openGateway()
  assert.equal(await bench.ask('hello'), 'hello')
})

test('goes on after connections that could not be accepted', { timeout: 10_000 }, async () => {
  await using bench = await openBench()
  await bench.openGateway()
  for (const code of ['one', 'two']) bench.server.emit('error', new Error(code))
  assert.deepEqual(
    bench.errors.map(({ message }) => message),
    ['one', 'two'],
  )
  assert.equal(await bench.ask('hello'), 'hello')
})
