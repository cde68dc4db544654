import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../kit/free-port-in-test.ts'
import { createLog } from '../../kit/log.ts'
import type { HiveState } from '../../wire/hive-state.ts'
import type { hostOps } from '../../wire/host-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Need } from '../../wire/things.ts'
import { AgentViews } from '../agents/agent-views.ts'
import { openSupervised } from '../agents/supervised-in-test.ts'
import { openEventDatabase } from '../database.ts'
import { EventStore } from '../events/event-store.ts'
import { readTls } from './addresses.ts'
import { WebToken } from './token.ts'
import { Web, type WebOptions } from './web.ts'

export const needOf = (n: number, detail = ''): Need => ({
  kind: 'low_disk',
  key: `low_disk:${n}`,
  link: '/',
  since: n,
  detail,
  actions: [],
})

/** A state of nothing but what is given. */
export const contentsOf = (more: Partial<HiveState> = {}): Omit<HiveState, 'seq'> => ({
  status: {
    version: '0.1.0',
    revision: 'r1',
    pid: 1,
    startedAt: 1,
    stateDir: '/state',
    runDir: '/run',
    runtime: 'fake',
    model: 'demo',
    network: 'none',
    terminal: false,
    slots: { used: 0, total: 4 },
    messages: { queued: 0, leased: 0, done: 0, dead: 0 },
    needs: 0,
    stopped: null,
  },
  errors: [],
  agents: [],
  needs: [],
  approvals: [],
  ...more,
})

/** The server of a hive of alice, whose state is what the test says. */
export async function openTestWeb({
  appPlaces = [],
  handlers: more = {},
  ...changed
}: Partial<WebOptions['settings']> &
  Pick<WebOptions, 'appPlaces'> & { handlers?: Partial<WebOptions['handlers']> } = {}) {
  const port = changed.port ?? (await freePort())
  const directory = mkdtempSync(join(tmpdir(), 'web-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(directory, { recursive: true }))
  const hive = stack.use(await openSupervised())
  const events = new EventStore(stack.use(openEventDatabase(':memory:')))
  const views = stack.use(new AgentViews({ ...hive, defaultModel: 'haiku', now: Date.now }))
  const log = createLog('fatal')
  const tokenPath = join(directory, 'web-token')
  const token = await WebToken.open(tokenPath, log)
  const tokenBefore = token.value
  let contents = contentsOf()
  const handlers: Partial<Handlers<typeof hostOps>> = {
    status: () => ({ ...contents.status, agents: contents.agents, errors: contents.errors }),
    needs: () => ({ needs: contents.needs }),
    pending: () => ({ approvals: contents.approvals, errors: [] }),
    ...more,
  }
  const web = stack.use(
    new Web({
      handlers: handlers as Handlers<typeof hostOps>,
      token,
      tls: readTls(changed),
      registry: hive.registry,
      broker: hive.broker,
      views,
      events,
      diff: () => Promise.reject(new Error('this test says nothing about diffs')),
      health: () => 'ok',
      startedAt: Date.now(),
      log,
      appPlaces,
      settings: { port, agentPorts: false, listen: [], allowedHosts: [], trustedProxy: false, ...changed },
    }),
  )
  await web.open()
  const kept = stack.move()
  return {
    web,
    token,
    tokenPath,
    /** As it was before the ports were opened. */
    tokenBefore,
    events,
    registry: hive.registry,
    broker: hive.broker,
    port,
    base: `http://127.0.0.1:${port}`,
    /** Changes the state, and tells of it. */
    set(next: Omit<HiveState, 'seq'>) {
      contents = next
      hive.broker.changes.notify()
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
