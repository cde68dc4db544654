import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from 'redis'
import type { Queue, QueueAddress, Receiver, Sender } from './queue.ts'
import { startServer } from './server-process.ts'

const STREAM = 'inbox'
const GROUP = 'receivers'
const FOREVER = 0

/** Redis Streams, with every command on disk before its reply. */
export async function openRedis(): Promise<Queue> {
  const directory = mkdtempSync('/tmp/hive-bench-redis-')
  const socket = join(directory, 'redis.sock')
  const options = ['--port', '0', '--unixsocket', socket, '--dir', directory]
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  const server = await startServer(['redis-server', ...options, ...durable], {
    logFile: join(directory, 'log'),
    isServing: () =>
      connect(socket).then(
        (client) => client.close().then(() => true),
        () => false,
      ),
    endSignal: 'SIGTERM',
  })
  const client = await connect(socket)
  await client.xGroupCreate(STREAM, GROUP, '$', { MKSTREAM: true })
  await client.close()
  return {
    name: 'Redis Streams, appendfsync always',
    pid: server.pid,
    address: { kind: 'redis', socket },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function connect(path: string) {
  const client = createClient({ socket: { path, tls: false, reconnectStrategy: false } })
  // Whoever waits for a reply gets it as a rejection.
  client.on('error', () => {})
  return client.connect()
}

export async function openRedisSender({ socket }: QueueAddress): Promise<Sender> {
  const client = await connect(socket)
  return {
    async send(body) {
      await client.xAdd(STREAM, '*', { body })
    },
    close: () => client.close(),
  }
}

export async function openRedisReceiver({ socket }: QueueAddress): Promise<Receiver> {
  const client = await connect(socket)
  return {
    async receive(most) {
      const next = { key: STREAM, id: '>' }
      const streams = (await client.xReadGroup(GROUP, 'one', next, { COUNT: most, BLOCK: FOREVER })) as
        | { messages: { id: string; message: { body: string } }[] }[]
        | null
      return (streams?.[0]?.messages ?? []).map(({ id, message }) => ({ id, body: message.body }))
    },
    async ack(messages) {
      const ids = messages.map(({ id }) => String(id))
      // Written together, so that one fsync serves both.
      await Promise.all([client.xAck(STREAM, GROUP, ids), client.xDel(STREAM, ids)])
    },
    close: async () => client.destroy(),
  }
}
