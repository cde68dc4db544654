import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HarnessLink } from './harness-link.ts'

const openLink = () => new HarnessLink('alice', () => 0)

/** A connection of a harness; `leave` breaks it. */
function connect() {
  const gone = new AbortController()
  return { call: { connection: {}, signal: gone.signal }, leave: () => gone.abort() }
}

describe('the link to a harness', () => {
  test('lets one say hello at a time, and one be connected', () => {
    const link = openLink()
    const [first, second] = [connect(), connect()]
    {
      using _ = link.reserve(first.call.connection)
      assert.throws(() => link.reserve(second.call.connection), { code: 'conflict' })
      assert.throws(() => link.reserve(first.call.connection), { code: 'conflict' })
      link.attach(first.call, { epoch: 1, revision: 'r1', deployment: undefined })
    }
    assert.throws(() => link.reserve(second.call.connection), { code: 'conflict' })
    first.leave()
    link.reserve(second.call.connection)[Symbol.dispose]()
  })

  test('is free again after a hello that failed', () => {
    const link = openLink()
    link.reserve({})[Symbol.dispose]()
    link.reserve({})[Symbol.dispose]()
  })

  test('gives commands again that may not have arrived before the connection broke', async () => {
    const link = openLink()
    const [first, second] = [connect(), connect()]
    link.attach(first.call, { epoch: 1, revision: 'r1', deployment: undefined })
    link.command({ do: 'cancel', messages: [] })
    assert.deepEqual(await link.takeCommands(0, first.call.signal), [{ do: 'cancel', messages: [] }])
    link.command({ do: 'compact' })
    first.leave()
    link.attach(second.call, { epoch: 1, revision: 'r1', deployment: undefined })
    assert.deepEqual(await link.takeCommands(0, second.call.signal), [
      { do: 'cancel', messages: [] },
      { do: 'compact' },
    ])
    assert.deepEqual(await link.takeCommands(0, second.call.signal), [])
  })

  test('takes nothing for a connection that broke while it waited', async () => {
    const link = openLink()
    const [first, second] = [connect(), connect()]
    link.attach(first.call, { epoch: 1, revision: 'r1', deployment: undefined })
    const waiting = link.takeCommands(60_000, first.call.signal)
    link.command({ do: 'cancel', messages: [] })
    first.leave()
    assert.deepEqual(await waiting, [])
    link.attach(second.call, { epoch: 1, revision: 'r1', deployment: undefined })
    assert.deepEqual(await link.takeCommands(0, second.call.signal), [{ do: 'cancel', messages: [] }])
  })

  test('gives a new process no command that was meant for its predecessor', async () => {
    const link = openLink()
    const [first, second] = [connect(), connect()]
    link.attach(first.call, { epoch: 1, revision: 'r1', deployment: undefined })
    link.command({ do: 'stop', graceMs: 0 })
    await link.takeCommands(0, first.call.signal)
    first.leave()
    link.attach(second.call, { epoch: 2, revision: 'r1', deployment: undefined })
    assert.deepEqual(await link.takeCommands(0, second.call.signal), [])
  })
})
