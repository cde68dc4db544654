import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { HiveError } from '../wire/errors.ts'
import type { Handlers, Ops } from '../wire/op.ts'
import { createLineSplitter, parseJsonLine } from './json-lines.ts'
import { connectOps } from './op-client.ts'
import { type OpServer, serveOps } from './op-server.ts'

const ops = {
  add: {
    about: 'Add.',
    input: z.strictObject({ a: z.number(), b: z.number() }),
    output: z.object({ sum: z.number() }),
  },
  echo: {
    about: 'Give back.',
    input: z.strictObject({ value: z.unknown() }),
    output: z.object({ value: z.unknown() }),
  },
  wait: { about: 'Wait for the end of the connection.', input: z.strictObject({}), output: z.object({}) },
  fail: { about: 'Fail.', input: z.strictObject({}), output: z.object({}) },
} satisfies Ops

describe('a socket that serves an op table', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ops-'))
  const path = join(directory, 's.sock')
  const aborted: string[] = []
  const internal: unknown[] = []
  const handlers: Handlers<typeof ops> = {
    add: ({ a, b }) => ({ sum: a + b }),
    echo: ({ value }) => ({ value }),
    wait: (_, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted.push('wait')
          resolve({})
        })
      }),
    fail: () => {
      throw new Error('boom')
    },
  }
  let server: OpServer
  before(async () => {
    server = await serveOps(ops, handlers, {
      path,
      limits: { connections: 50, inFlightPerConnection: 8, lineTimeoutMs: 200 },
      onInternalError: (error) => internal.push(error),
    })
  })
  after(async () => {
    await server.close()
    rmSync(directory, { recursive: true })
  })

  const open = async (): Promise<Socket> => {
    const socket = createConnection(path)
    await once(socket, 'connect')
    socket.on('error', () => {})
    return socket
  }
  /** `once` would reject when the server ends the connection while we write. */
  const closeOf = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      if (socket.closed) resolve()
      else socket.once('close', () => resolve())
    })
  /** Sends raw bytes; gives the reply frames until the server ended the connection or `frames` came. */
  const exchange = async (bytes: string | Buffer, frames: number): Promise<Record<string, unknown>[]> => {
    const socket = await open()
    const splitter = createLineSplitter(1 << 24)
    const replies: Record<string, unknown>[] = []
    const done = new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        for (const line of splitter.push(chunk as Buffer)) replies.push(parseJsonLine(line) as Record<string, unknown>)
        if (replies.length >= frames) resolve()
      })
      socket.on('close', () => resolve())
    })
    socket.write(bytes)
    await done
    socket.destroy()
    return replies
  }
  const errorOf = (reply: Record<string, unknown> | undefined) => (reply?.error as { code: string } | undefined)?.code

  test('is the owner’s alone', () => {
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('answers calls in any order, many on one connection', async () => {
    await using connection = await connectOps(ops, path)
    const waiting = connection.call.wait({}).catch((error: HiveError) => error.code)
    const sums = await Promise.all([1, 2, 3].map((a) => connection.call.add({ a, b: 1 })))
    assert.deepEqual(
      sums.map(({ sum }) => sum),
      [2, 3, 4],
    )
    connection.close()
    assert.equal(await waiting, 'unreachable')
  })

  test('aborts the calls of a connection that is gone', async () => {
    const count = aborted.length
    const connection = await connectOps(ops, path)
    void connection.call.wait({}).catch(() => {})
    await connection.call.add({ a: 1, b: 1 })
    await connection[Symbol.asyncDispose]()
    while (aborted.length === count) await new Promise((resolve) => setImmediate(resolve))
  })

  test('tells bad input, unknown operations and internal errors apart', async () => {
    await using connection = await connectOps(ops, path)
    const codeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'none',
        (error: HiveError) => error.code,
      )
    assert.equal(await codeOf(connection.call.add({ a: 'x' } as never)), 'bad_input')
    assert.equal(await codeOf(connection.call.add({ a: 1, b: 2, from: 'operator' } as never)), 'bad_input')
    assert.equal(await codeOf(connection.call.fail({})), 'internal')
    assert.equal(internal.length, 1)
    for (const op of ['kill', '__proto__', 'constructor', 'toString']) {
      const [reply] = await exchange(`${JSON.stringify({ id: 1, op, input: {} })}\n`, 1)
      assert.equal(errorOf(reply), 'unknown_op', op)
    }
  })

  test('refuses a line of 100 MB without keeping it', async () => {
    const socket = await open()
    const before = process.memoryUsage().rss
    const closed = closeOf(socket)
    const chunk = Buffer.alloc(1 << 20, 'x')
    for (let sent = 0; sent < 100 && !socket.destroyed; sent += 1) {
      if (!socket.write(chunk)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed])
    }
    await closed
    assert.ok(process.memoryUsage().rss - before < 64 << 20)
  })

  test('reads a value nested 100,000 deep or refuses it, and lives on', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const [reply] = await exchange(`{"id":1,"op":"echo","input":{"value":${deep}}}\n`, 1)
    // What the parser reads, the writer cannot always write.
    assert.ok(JSON.stringify(reply).length > 200_000 || errorOf(reply) === 'internal' || errorOf(reply) === 'bad_input')
    await using connection = await connectOps(ops, path)
    assert.deepEqual(await connection.call.add({ a: 1, b: 2 }), { sum: 3 })
  })

  test('ends the connection at invalid UTF-8, at no JSON and at no frame', async () => {
    const notUtf8 = Buffer.concat([
      Buffer.from('{"id":1,"op":"echo","input":{"value":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}}\n'),
    ])
    for (const bytes of [
      notUtf8,
      'hello\n',
      '{"id":-1,"op":"add"}\n',
      '[]\n',
      '{"id":1e400,"op":"add","input":{}}\n',
    ]) {
      const replies = await exchange(bytes, 2)
      assert.equal(replies.length, 1)
      assert.equal(errorOf(replies[0]), 'bad_input')
    }
  })

  test('keeps __proto__ out of prototypes and takes the last of duplicate keys', async () => {
    const line = '{"id":1,"op":"add","input":{"a":1,"a":5,"b":2,"__proto__":{"polluted":true}}}\n'
    const [reply] = await exchange(line, 1)
    // As an own key of the parsed object it is one that is not expected.
    assert.equal(errorOf(reply), 'bad_input')
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    const [twice] = await exchange('{"id":1,"op":"add","input":{"a":1,"a":5,"b":2}}\n', 1)
    assert.deepEqual(twice?.output, { sum: 7 })
  })

  test('ends a connection that takes too long over a line', async () => {
    const socket = await open()
    const closed = closeOf(socket)
    socket.write('{"id":1,')
    await closed
  })

  test('gives each line its own time: a busy connection may always be in the middle of one', async () => {
    const socket = await open()
    const line = '{"id":1,"op":"add","input":{"a":1,"b":1}}\n'
    let replies = 0
    socket.on('data', (chunk) => {
      replies += chunk.toString().split('\n').length - 1
    })
    socket.write(line.slice(0, 10))
    // Each piece ends one line and begins the next; together they take longer than a line may.
    for (let n = 0; n < 30; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      socket.write(line.slice(10) + line.slice(0, 10))
    }
    while (replies < 30 && !socket.destroyed) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(replies, 30)
    socket.destroy()
  })

  test('gives up a peer that asks for much and reads nothing', async () => {
    const socket = await open()
    const closed = closeOf(socket)
    socket.pause()
    const value = 'x'.repeat(500_000)
    for (let id = 0; id < 64 && !socket.destroyed; id += 1) {
      socket.write(`${JSON.stringify({ id, op: 'echo', input: { value } })}\n`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    socket.resume()
    await closed
  })

  test('takes no peer for slow because one reply is large', async () => {
    const large = join(directory, 'l.sock')
    await using _ = await serveOps(ops, handlers, { path: large, limits: { maxBuffered: 1_000 } })
    await using connection = await connectOps(ops, large)
    for (const value of ['x'.repeat(500_000), 'small'])
      assert.deepEqual(await connection.call.echo({ value }), { value })
  })

  test('refuses requests beyond its rate, over all connections', async () => {
    const slow = join(directory, 'r.sock')
    await using _ = await serveOps(ops, handlers, { path: slow, limits: { rate: { perSecond: 0.001, burst: 3 } } })
    await using one = await connectOps(ops, slow)
    await using two = await connectOps(ops, slow)
    const add = (connection: typeof one) =>
      connection.call.add({ a: 1, b: 1 }).then(
        () => 'ok',
        (error: HiveError) => error.code,
      )
    const answers = [await add(one), await add(two), await add(one), await add(two), await add(one)]
    assert.deepEqual(answers, ['ok', 'ok', 'ok', 'rate_limited', 'rate_limited'])
  })

  test('answers no more than its share of requests at once', async () => {
    const lines = Array.from({ length: 9 }, (_, id) => `{"id":${id},"op":"wait","input":{}}\n`).join('')
    const [reply] = await exchange(lines, 1)
    assert.equal(errorOf(reply), 'too_many')
  })

  test('takes 1,000 connections: the first ones are served, the rest are closed, and then it serves again', async () => {
    const sockets: Socket[] = []
    while (sockets.length < 1000) sockets.push(await open())
    const outcomes = await Promise.all(
      sockets.map(async (socket) => {
        if (socket.destroyed) return 'closed'
        socket.write('{"id":1,"op":"add","input":{"a":1,"b":1}}\n')
        return Promise.race([
          new Promise((resolve) => socket.once('data', () => resolve('served'))),
          closeOf(socket).then(() => 'closed'),
        ])
      }),
    )
    assert.ok(outcomes.filter((outcome) => outcome === 'served').length <= 50)
    assert.ok(outcomes.includes('served'))
    await Promise.all(
      sockets.map((socket) => {
        socket.destroy()
        return closeOf(socket)
      }),
    )
    for (;;) {
      try {
        await using connection = await connectOps(ops, path)
        await connection.call.add({ a: 1, b: 1 })
        return
      } catch (error) {
        // The server notices the last closes a moment later.
        assert.ok(error instanceof HiveError && error.code === 'unreachable')
      }
    }
  })

  test('takes the place of a dead socket file and refuses a path that is too long', async () => {
    const dead = join(directory, 'd.sock')
    const first = await serveOps(ops, handlers, { path: dead })
    const second = await serveOps(ops, handlers, { path: dead })
    await second.close()
    await first.close()
    await assert.rejects(serveOps(ops, handlers, { path: join(directory, 'x'.repeat(120)) }), { code: 'bad_input' })
  })
})
