import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLog } from '../../kit/log.ts'
import { HarnessLink } from '../agents/harness-link.ts'
import { openSupervised } from '../agents/supervised-in-test.ts'
import { openEventDatabase } from '../database.ts'
import { EventStore } from '../events/event-store.ts'
import { LoginFlows } from '../logins/login-flows.ts'
import { Reminders } from '../schedules/reminders.ts'
import { agentHandlers } from './agent-socket.ts'

const DEFAULTS = { model: 'haiku', keepWarmMs: 1, hangMs: 1, heartbeatMs: 1, checkpointAt: 0 }

async function openSocket() {
  const hive = await openSupervised()
  const eventDb = openEventDatabase(':memory:')
  const events = new EventStore(eventDb)
  return {
    ...hive,
    events,
    /** The socket as a daemon has it that knows nothing of earlier connections. */
    open() {
      const link = new HarnessLink('alice', Date.now)
      const log = createLog('silent')
      const supervisor = { link: () => link, admitMail: () => {} }
      const deps = {
        ...hive,
        supervisor,
        logins: new LoginFlows({ command: (_, command) => link.command(command) }),
        secret: () => undefined,
        events,
        reminders: new Reminders({ db: hive.db, tell: async () => {}, onChange: () => {} }),
        log,
        defaults: DEFAULTS,
        agentEnv: () => ({}),
      }
      return { link, socket: agentHandlers(deps, 'alice') }
    },
    async [Symbol.asyncDispose]() {
      await hive[Symbol.asyncDispose]()
      eventDb.close()
    },
  }
}

const connect = () => ({ connection: {}, signal: new AbortController().signal })

describe('the socket of an agent', () => {
  test('takes one of two that say hello at once, and leaves its epoch alone', async () => {
    await using hive = await openSocket()
    const { socket } = hive.open()
    const [first, second] = await Promise.allSettled([
      socket.hello({ revision: 'r1' }, connect()),
      socket.hello({ revision: 'r1' }, connect()),
    ])
    assert.equal(second.status === 'rejected' && second.reason.code, 'conflict')
    assert.equal(first.status === 'fulfilled' && first.value.epoch, hive.broker.store.epoch('alice'))
  })

  test('knows from the events since when a turn goes on that it did not see begin', async () => {
    await using hive = await openSocket()
    const call = connect()
    const { socket } = hive.open()
    const { epoch } = await socket.hello({ revision: 'r1' }, call)
    const { id } = await socket.send({ to: 'alice', body: 'x' }, call)
    await socket.recv({ wait_seconds: 0, max: 1 }, call)
    const goOn = async () => {
      const next = hive.open()
      await next.socket.hello({ revision: 'r1', epoch }, connect())
      return next.link.turnSince
    }
    const begins = (messageId: number, at: number) => ({
      n: at,
      at,
      event: { kind: 'turn_start' as const, messages: [{ id: messageId, from: 'alice', body: 'x' }], pending: 0 },
    })
    await hive.events.append('alice', epoch, [begins(id, 1_234)])
    assert.equal(await goOn(), 1_234)
    // Its begin was not stored: that of the turn before is not it.
    await hive.events.append('alice', epoch, [begins(id + 1, 2_000)])
    assert.notEqual(await goOn(), 2_000)
  })
})
