import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createLog } from '../kit/log.ts'
import { serveOps } from '../kit/op-server.ts'
import { HiveError } from '../wire/errors.ts'
import { gatewayOps } from '../wire/gateway-ops.ts'
import type { Call, Handlers } from '../wire/op.ts'
import { endpointOf, Gateway } from './gateway-client.ts'
import { createLayout } from './layout.ts'

/** A gateway that this process plays itself. */
async function openPlayed(
  configure: Handlers<typeof gatewayOps>['configure'],
  { modelUrl, egress }: { modelUrl?: string; egress?: Record<string, string[]> } = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-client-'))
  const layout = createLayout({ stateDir: directory, runDir: join(directory, 'run') })
  mkdirSync(layout.runDir)
  const connections = new Set<object>()
  const note = (call: Call) => {
    if (!connections.has(call.connection))
      call.signal.addEventListener('abort', () => connections.delete(call.connection))
    connections.add(call.connection)
  }
  const server = await serveOps(
    gatewayOps,
    {
      ping(_, call) {
        note(call)
        return { pid: process.pid, revision: 'r1' }
      },
      configure(configuration, call) {
        note(call)
        return configure(configuration, call)
      },
      counts: () => ({ agents: {} }),
    },
    { path: layout.gateway.control },
  )
  const names = ['alice']
  const gateway = new Gateway({
    layout,
    app: { directory, revision: 'r1' },
    daemonUid: 1000,
    log: createLog('silent'),
    agents: () => names,
    endpoints: () => ['10.0.0.5:5432'],
    modelUrl: () => modelUrl,
    egressOf: (agent) => egress?.[agent],
  })
  return {
    gateway,
    names,
    connections,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await server.close()
      rmSync(directory, { recursive: true })
    },
  }
}

describe('the daemon’s end of the gateway', { timeout: 30_000 }, () => {
  test('keeps no connection when configuring fails again and again', async () => {
    await using played = await openPlayed(() => {
      throw new HiveError('unavailable', 'no')
    })
    await played.gateway.open()
    for (let times = 0; times < 5; times++) await assert.rejects(played.gateway.configure(), { code: 'unavailable' })
    while (played.connections.size > 0) await new Promise(setImmediate)
  })

  test('tells of agents in the order in which they came, however long the gateway takes', async () => {
    const told: string[][] = []
    const first = Promise.withResolvers<void>()
    await using played = await openPlayed(async ({ agents }) => {
      told.push(agents.map(({ name }) => name))
      if (told.length === 1) await first.promise
      return { unserved: {} }
    })
    const both = [played.gateway.configure()]
    while (told.length === 0) await new Promise(setImmediate)
    played.names.push('bob')
    both.push(played.gateway.configure())
    first.resolve()
    await Promise.all(both)
    assert.deepEqual(told, [['alice'], ['alice', 'bob']])
  })

  test('shows an agent that is not served, and throws only for whom it was asked', async () => {
    await using played = await openPlayed(() => ({ unserved: { alice: 'no directory' } }))
    await played.gateway.configure('bob')
    assert.deepEqual(
      played.gateway.errors().map(({ where, problem }) => [where, problem]),
      [['egress of alice', 'no directory']],
    )
    await assert.rejects(played.gateway.configure('alice'), { code: 'unavailable' })
  })
})

describe('what the gateway is told that agents may reach', { timeout: 30_000 }, () => {
  const tell = async (options: Parameters<typeof openPlayed>[1]) => {
    const told: Parameters<Handlers<typeof gatewayOps>['configure']>[0][] = []
    await using played = await openPlayed((configuration) => {
      told.push(configuration)
      return { unserved: {} }
    }, options)
    played.names.push('bob')
    await played.gateway.configure()
    const { agents = [], endpoints } = told[0] ?? {}
    return { allow: agents.map(({ name, allow }) => [name, allow]), endpoints }
  }

  test('its list, and where its model and its login are', async () => {
    assert.deepEqual(await tell({ egress: { bob: ['example.com'] } }), {
      allow: [
        ['alice', undefined],
        ['bob', ['example.com', 'api.anthropic.com:443', 'platform.claude.com:443']],
      ],
      endpoints: ['10.0.0.5:5432'],
    })
  })

  test('its list alone when its model has a URL of its own, which all may reach', async () => {
    assert.deepEqual(await tell({ egress: { bob: [] }, modelUrl: 'http://127.0.0.1:8080/v1' }), {
      allow: [
        ['alice', undefined],
        ['bob', []],
      ],
      endpoints: ['10.0.0.5:5432', '127.0.0.1:8080'],
    })
  })
})

test('the endpoint of a base URL has a port', () => {
  assert.equal(endpointOf('https://api.example'), 'api.example:443')
  assert.equal(endpointOf('http://127.0.0.1:8080/v1'), '127.0.0.1:8080')
})
