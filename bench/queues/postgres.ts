import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { run } from '../../src/kit/run.ts'
import type { Queue, QueueAddress, Received, Receiver, Sender } from './queue.ts'
import { startServer } from './server-process.ts'

/** Where Debian puts version 15. */
const BIN = '/usr/lib/postgresql/15/bin'
/** It refuses to run as root. */
const AS_POSTGRES = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] as const
/** Its commits are grouped over connections, never within one. */
const SENDER_CONNECTIONS = 8

const SCHEMA = `
  CREATE TABLE messages (id bigserial PRIMARY KEY, body text NOT NULL, state text NOT NULL DEFAULT 'queued');
  CREATE INDEX messages_queued ON messages (id) WHERE state = 'queued'`
const SEND = {
  name: 'send',
  text: `WITH stored AS (INSERT INTO messages (body) VALUES ($1) RETURNING id) SELECT pg_notify('inbox', '') FROM stored`,
}
const LEASE = {
  name: 'lease',
  text: `UPDATE messages SET state = 'leased' WHERE id IN
    (SELECT id FROM messages WHERE state = 'queued' ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id, body`,
}
const ACK = { name: 'ack', text: `UPDATE messages SET state = 'done' WHERE id = ANY($1)` }

/** PostgreSQL as a queue: SKIP LOCKED to lease, LISTEN and NOTIFY to wake, every commit on disk before its reply. */
export async function openPostgres(): Promise<Queue> {
  const directory = mkdtempSync('/tmp/hive-bench-postgres-')
  chmodSync(directory, 0o777)
  const data = join(directory, 'data')
  const made = await run([...AS_POSTGRES, join(BIN, 'initdb'), '-D', data, '-A', 'trust', '--locale=C.UTF-8'])
  if (made.exitCode !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const settings = [
    '-c',
    'listen_addresses=',
    '-c',
    `unix_socket_directories=${directory}`,
    '-c',
    'synchronous_commit=on',
  ]
  const server = await startServer([...AS_POSTGRES, join(BIN, 'postgres'), '-D', data, ...settings], {
    logFile: join(directory, 'log'),
    isServing: () =>
      connect(directory).then(
        (client) => client.end().then(() => true),
        () => false,
      ),
    // Ends it although clients are connected.
    endSignal: 'SIGINT',
  })
  const client = await connect(directory)
  await client.query(SCHEMA)
  await client.end()
  return {
    name: 'PostgreSQL 15, synchronous_commit on',
    pid: server.pid,
    address: { kind: 'postgres', socket: directory },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function connect(host: string): Promise<pg.Client> {
  const client = new pg.Client({ host, user: 'postgres', database: 'postgres' })
  await client.connect()
  return client
}

export async function openPostgresSender({ socket }: QueueAddress): Promise<Sender> {
  const clients = await Promise.all(Array.from({ length: SENDER_CONNECTIONS }, () => connect(socket)))
  // A connection runs one statement at a time.
  const last = clients.map(() => Promise.resolve())
  let sent = 0
  return {
    async send(body) {
      const turn = sent++ % clients.length
      const sending = Promise.resolve(last[turn]).then(async () => {
        await clients[turn]?.query({ ...SEND, values: [body] })
      })
      last[turn] = sending
      await sending
    },
    async close() {
      await Promise.all(clients.map((client) => client.end()))
    },
  }
}

export async function openPostgresReceiver({ socket }: QueueAddress): Promise<Receiver> {
  const client = await connect(socket)
  let notified = Promise.withResolvers<void>()
  client.on('notification', () => notified.resolve())
  await client.query('LISTEN inbox')
  return {
    async receive(most) {
      for (;;) {
        const { promise } = notified
        const { rows } = await client.query<Received>({ ...LEASE, values: [most] })
        if (rows.length > 0) return rows
        await promise
        notified = Promise.withResolvers()
      }
    },
    async ack(messages) {
      await client.query({ ...ACK, values: [messages.map(({ id }) => id)] })
    },
    close: () => client.end(),
  }
}
