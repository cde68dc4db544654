import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type OpServer, serveOps } from '../kit/op-server.ts'
import { agentOps } from '../wire/agent-ops.ts'
import { type ErrorCode, HiveError } from '../wire/errors.ts'
import type { Handlers } from '../wire/op.ts'
import { DaemonLink } from './daemon-link.ts'

const HELLO = {
  epoch: 3,
  settings: {
    agent: 'alice',
    role: 'agent',
    model: 'haiku',
    keepWarmMs: 0,
    hangMs: 1,
    heartbeatMs: 1,
    checkpointAt: 0,
    config: { mcpServers: {} },
  },
  env: {},
  leases: [],
} as const satisfies object
const END = { reason: 'ok', detail: '' } as const

/** A daemon's socket that plays what a test says, and a link to it. */
function openDaemon({ limits, deployment }: { limits?: { connections: number }; deployment?: string } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'link-'))
  const path = join(directory, 'mcp.sock')
  const ending = new AbortController()
  const told: string[] = []
  /** What is answered to the next calls of an op, instead of the usual. */
  const refusals: Partial<Record<keyof typeof agentOps, (ErrorCode | 'hang')[]>> = {}
  const connections = new Set<object>()
  const deployments: (string | undefined)[] = []
  const answer = async <T>(op: keyof typeof agentOps, output: T): Promise<T> => {
    told.push(op)
    const refusal = refusals[op]?.shift()
    if (refusal === 'hang') return new Promise<T>(() => {})
    if (refusal) throw new HiveError(refusal, `${op} is refused`)
    return output
  }
  const handlers: Partial<Handlers<typeof agentOps>> = {
    hello: ({ epoch, deployment }, call) => {
      deployments.push(deployment)
      connections.add(call.connection)
      call.signal.addEventListener('abort', () => connections.delete(call.connection))
      told.push(`epoch ${epoch}`)
      return answer('hello', { ...HELLO, leases: [...HELLO.leases] })
    },
    ready: () => answer('ready', {}),
    status: () => answer('status', { unread: 0 }),
    recv: () => answer('recv', { messages: [] }),
    send: () => answer('send', { id: 1, ids: [1] }),
    ack: () => answer('ack', {}),
    release: () => answer('release', { action: 'retry' as const }),
    inbox: () => answer('inbox', { messages: [] }),
    append_events: () => answer('append_events', {}),
    commands: () => answer('commands', { commands: [] }),
  }
  let server: OpServer | undefined
  return {
    link: new DaemonLink({
      socket: path,
      ops: agentOps,
      revision: 'r1',
      deployment,
      signal: ending.signal,
      retryMs: { first: 1, longest: 5 },
    }),
    told,
    refusals,
    connections,
    deployments,
    end: () => ending.abort(),
    async start() {
      server = await serveOps(agentOps, handlers as Handlers<typeof agentOps>, { path, limits })
    },
    async stop() {
      await server?.close()
      server = undefined
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await server?.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
const timed = (name: string, work: () => Promise<void>) => test(name, { timeout: 30_000 }, work)

describe('the link to the daemon', () => {
  timed('waits for a daemon that is away, and goes on with its epoch after each absence', async () => {
    await using daemon = openDaemon()
    const hellos: number[] = []
    daemon.link.onHello = ({ epoch }) => hellos.push(epoch)
    const first = daemon.link.call('status', { brain: 'idle' })
    await daemon.start()
    await first
    await daemon.stop()
    const second = daemon.link.call('status', { brain: 'idle' })
    await daemon.start()
    await second
    assert.deepEqual(hellos, [3, 3])
    assert.deepEqual(daemon.told, ['epoch undefined', 'hello', 'status', 'epoch 3', 'hello', 'status'])
  })

  timed('tells which deployment it runs, when it knows of one', async () => {
    await using daemon = openDaemon({ deployment: 'c0ffee' })
    await using older = openDaemon()
    for (const { start, link } of [daemon, older]) {
      await start()
      await link.connected()
    }
    assert.deepEqual([daemon.deployments, older.deployments], [['c0ffee'], [undefined]])
  })

  timed('repeats a call whose answer was lost with the connection', async () => {
    await using daemon = openDaemon()
    await daemon.start()
    daemon.refusals.recv = ['hang']
    const receiving = daemon.link.call('recv', { wait_seconds: 1 })
    while (!daemon.told.includes('recv')) await new Promise(setImmediate)
    await daemon.stop()
    await daemon.start()
    assert.deepEqual(await receiving, { messages: [] })
  })

  timed('tells what a call is refused, and insists only on what has to be taken', async () => {
    await using daemon = openDaemon()
    await daemon.start()
    daemon.refusals.send = ['disk_full']
    await assert.rejects(daemon.link.call('send', { to: 'bob', body: 'x' }), { code: 'disk_full' })
    daemon.refusals.ack = ['disk_full', 'unavailable', 'too_many', 'rate_limited', 'internal']
    await daemon.link.insist('ack', { epoch: 3, ids: [1], end: END })
    assert.equal(daemon.told.filter((op) => op === 'ack').length, 6)
    daemon.refusals.release = ['stale_lease']
    await assert.rejects(daemon.link.insist('release', { epoch: 3, ids: [1], end: END }), { code: 'stale_lease' })
  })

  timed('says hello again after a refusal that passes, and leaves no connection behind', async () => {
    await using daemon = openDaemon({ limits: { connections: 2 } })
    await daemon.start()
    daemon.refusals.hello = ['conflict', 'disk_full', 'internal', 'conflict', 'conflict']
    await daemon.link.connected()
    while (daemon.connections.size > 1) await new Promise(setImmediate)
    assert.equal(daemon.told.filter((op) => op === 'hello').length, 6)
  })

  timed('tells of a refusal for good once, and connects anew for the next call', async () => {
    await using daemon = openDaemon()
    await daemon.start()
    daemon.refusals.hello = ['bad_input']
    await assert.rejects(daemon.link.connected(), { code: 'bad_input' })
    assert.equal((await daemon.link.connected()).hello.epoch, 3)
  })

  timed('gives up at the end, also what it insists on', async () => {
    await using daemon = openDaemon()
    await daemon.start()
    await daemon.link.connected()
    daemon.refusals.ack = Array(1000).fill('disk_full')
    const acking = daemon.link.insist('ack', { epoch: 3, ids: [1], end: END })
    daemon.end()
    await assert.rejects(acking, { code: 'cancelled' })
    await daemon.stop()
    await assert.rejects(daemon.link.call('status', { brain: 'idle' }), { code: 'cancelled' })
  })

  timed('ends a call whose signal aborts', async () => {
    await using daemon = openDaemon()
    await daemon.start()
    daemon.refusals.recv = ['hang']
    const controller = new AbortController()
    const receiving = daemon.link.call('recv', { wait_seconds: 180 }, controller.signal)
    while (!daemon.told.includes('recv')) await new Promise(setImmediate)
    controller.abort()
    await assert.rejects(receiving, { code: 'cancelled' })
  })
})
