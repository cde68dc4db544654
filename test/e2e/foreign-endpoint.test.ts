import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { startTestHive } from '../hive.ts'

test('agents work with an endpoint of the Messages API that this project did not write', {
  timeout: 60_000,
}, async () => {
  const foreign = new LLMock({ port: 0 })
  foreign.on({ userMessage: /knock/ }, { content: 'Who is there?' })
  await foreign.start()
  try {
    await using hive = await startTestHive({
      agentEnv: { ANTHROPIC_BASE_URL: foreign.url, ANTHROPIC_API_KEY: 'sk-ant-test', CLAUDE_CODE_MAX_RETRIES: '1' },
    })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const { id } = await host.send({ to: 'alice', body: 'knock, knock' })
    const done = await hive.message(id, ({ state }) => state === 'done' || state === 'dead')
    assert.equal(done.state, 'done', done.error ?? '')
    const { events } = await host.events({ agent: 'alice', limit: 500 })
    assert.match(JSON.stringify(events), /Who is there\?/)
  } finally {
    await foreign.stop()
  }
})
