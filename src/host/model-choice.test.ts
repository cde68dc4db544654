import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openHiveDatabase } from './database.ts'
import { decideModel, demoEnv } from './model-choice.ts'
import { recall, remember } from './remembered.ts'

const NOTHING = { demo: undefined, agentEnv: {}, hasConfigFile: false }

describe('the choice of the model', () => {
  test('is the scripted one only where nothing was configured and nothing chosen before', () => {
    assert.equal(decideModel(NOTHING, undefined), 'demo')
    assert.equal(decideModel({ ...NOTHING, hasConfigFile: true }, undefined), 'real')
    assert.equal(decideModel({ ...NOTHING, agentEnv: { EDITOR: 'ed' } }, undefined), 'real')
    assert.equal(decideModel(NOTHING, 'real'), 'real')
  })

  test('holds from start to start, until credentials or the operator end it', () => {
    assert.equal(decideModel({ ...NOTHING, hasConfigFile: true }, 'demo'), 'demo')
    assert.equal(decideModel({ ...NOTHING, agentEnv: { ANTHROPIC_API_KEY: 'k' } }, 'demo'), 'real')
    assert.equal(decideModel({ ...NOTHING, agentEnv: { CLAUDE_CODE_USE_BEDROCK: '1' } }, 'demo'), 'real')
    assert.equal(decideModel({ ...NOTHING, demo: false }, 'demo'), 'real')
    assert.equal(decideModel({ ...NOTHING, demo: true, agentEnv: { ANTHROPIC_API_KEY: 'k' } }, 'real'), 'demo')
  })

  test('is remembered', async () => {
    using db = openHiveDatabase(':memory:')
    assert.equal(recall(db, 'model'), undefined)
    await remember(db, 'model', 'demo')
    await remember(db, 'model', 'real')
    assert.equal(recall(db, 'model'), 'real')
  })
})

test('an agent of a demo is led to no other model', () => {
  const secrets = {
    ANTHROPIC_AUTH_TOKEN: 't',
    CLAUDE_CODE_OAUTH_TOKEN: 'o',
    CLAUDE_CODE_USE_BEDROCK: '1',
    CLAUDE_CODE_USE_VERTEX: '1',
  }
  assert.deepEqual(demoEnv({ ...secrets, ANTHROPIC_API_KEY: 'k', EDITOR: 'ed' }, 'http://127.0.0.1:1', 'alice'), {
    EDITOR: 'ed',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
    ANTHROPIC_API_KEY: 'sk-ant-demo-alice',
  })
})
