import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AgentViews } from './agent-views.ts'
import { openSupervised, WAITS } from './supervised-in-test.ts'

describe('what is seen of an agent', () => {
  test('is since when it is in its state, and since when its turn goes on', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    let now = 1_000
    await using hive = await openSupervised(() => ({}), { now: () => now })
    const { broker, supervisor } = hive
    using views = new AgentViews({ ...hive, defaultModel: 'haiku', now: () => now })
    const seen = () => {
      const { state, stateSince, turn } = views.get('alice')
      return [state, stateSince, turn?.since ?? null]
    }
    assert.deepEqual(seen(), ['offline', 1_000, null])
    now = 2_000
    const link = supervisor.link('alice')
    const epoch = await broker.beginEpoch('alice', { charge: false, reason: '' })
    link.attach({ signal: WAITS, connection: {} }, { epoch, revision: 'r1', deployment: undefined })
    link.becameReady({ claude: 'ok', detail: '', mcp: {} })
    // Nobody asks, but it is noticed.
    t.mock.timers.tick(1_000)
    now = 3_000
    assert.deepEqual(seen(), ['idle', 2_000, null])
    await broker.send('operator', { to: 'alice', body: 'x' })
    assert.deepEqual(seen(), ['waiting', 3_000, null])
    now = 4_000
    await broker.recv('alice', { epoch, waitMs: 0, signal: WAITS })
    link.turnBegan()
    assert.deepEqual(seen(), ['thinking', 4_000, 4_000])
    now = 5_000
    link.attach({ signal: WAITS, connection: {} }, { epoch, revision: 'r1', deployment: undefined })
    assert.deepEqual(seen(), ['thinking', 4_000, 4_000])
  })

  test('is its port, which the older of two with the same one has', async () => {
    await using hive = await openSupervised()
    using views = new AgentViews({ ...hive, defaultModel: 'haiku', now: Date.now })
    for (const name of ['a29', 'a90']) await hive.registry.create(name, 0)
    assert.deepEqual(
      views.all().map(({ name, port, portTakenBy }) => [name, port, portTakenBy]),
      [
        ['alice', 8879, null],
        ['a29', 8765, null],
        ['a90', 8765, 'a29'],
      ],
    )
    assert.deepEqual(views.get('a90'), views.all()[2])
  })
})
