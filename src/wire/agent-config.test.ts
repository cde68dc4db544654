import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { AgentConfig, agentConfigSchema } from './agent-config.ts'

const DOCS = join(import.meta.dirname, '../../docs')

/** What is wrong with it, as its author reads it; empty when nothing is. */
function complaintOf(config: unknown): string {
  const parsed = AgentConfig.safeParse(config)
  return parsed.success ? '' : z.prettifyError(parsed.error)
}
const server = (env: object = {}) => ({ command: 'node', env })

describe('agent.json', () => {
  test('may be empty, and may hold nothing unknown', () => {
    assert.equal(complaintOf({}), '')
    assert.match(complaintOf({ modle: 'opus' }), /modle/)
  })

  test('names a secret, and never is one where that can be known', () => {
    for (const name of ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN']) {
      assert.equal(complaintOf({ env: { [name]: { secret: 'key' } } }), '')
      assert.match(complaintOf({ env: { [name]: 'sk-ant-1' } }), new RegExp(`is a login.*\\n.*env\\.${name}`))
      assert.match(complaintOf({ mcpServers: { a: server({ [name]: 'sk-ant-1' }) } }), /is a login/)
    }
    assert.match(complaintOf({ env: { A: 3 } }), /must be a text, or \{"secret"/)
    assert.match(complaintOf({ env: { A: { secret: '../key' } } }), /must be 1 to 64/)
  })

  test('does not set what is the hive’s, but for a tool server', () => {
    const own = [
      'HIVE_LABEL',
      'PATH',
      'HOME',
      'https_proxy',
      'NO_PROXY',
      'ANTHROPIC_BASE_URL',
      'ANTHROPIC_CUSTOM_HEADERS',
    ]
    for (const name of [...own, 'CLAUDE_CONFIG_DIR', 'CLAUDE_CODE_USE_BEDROCK', 'CLAUDECODE', 'MCP_TIMEOUT']) {
      assert.match(complaintOf({ env: { [name]: 'x' } }), /is not an agent’s to set/, name)
      assert.equal(complaintOf({ mcpServers: { a: server({ [name]: 'x' }) } }), '', name)
    }
    for (const name of ['LANG', 'NODE_OPTIONS', 'HOMEPAGE', 'CLAUDE_CODE_MAX_OUTPUT_TOKENS']) {
      assert.equal(complaintOf({ env: { [name]: 'x' } }), '', name)
    }
    assert.match(complaintOf({ env: { 'A B': 'x' } }), /no name of an environment variable/)
  })

  test('gives a tool server a name that no other tool can be taken for', () => {
    assert.equal(complaintOf({ mcpServers: { 'my_tickets-2': server() } }), '')
    assert.match(complaintOf({ mcpServers: { hyperhive: server() } }), /the hive’s own tools/)
    for (const name of ['a__b', 'a b', 'a.b', ''])
      assert.match(complaintOf({ mcpServers: { [name]: server() } }), /must be/)
  })

  test('names recipients and hosts as others read them', () => {
    assert.equal(
      complaintOf({ allowedRecipients: ['bob', 'manager', 'operator', '*'], egress: ['a.example', '*.b.example:443'] }),
      '',
    )
    assert.match(complaintOf({ allowedRecipients: ['Bob!'] }), /must be 1 to 9 characters/)
    for (const rule of ['https://a', '*', 'a:0', 'a:65536', '1.2.3.999'])
      assert.notEqual(complaintOf({ egress: [rule] }), '')
  })
})

test('docs/agent.schema.json is the schema of today', () => {
  const published = JSON.parse(readFileSync(join(DOCS, 'agent.schema.json'), 'utf8'))
  assert.deepEqual(published, agentConfigSchema(), 'stale: run `npm run schema`')
})

test('docs/agent-config.md tells of every field, and its example is one that is accepted', () => {
  const page = readFileSync(join(DOCS, 'agent-config.md'), 'utf8')
  const fields = Object.keys(AgentConfig.shape).filter((name) => name !== '$schema')
  assert.deepEqual(
    fields.filter((name) => !page.includes(`| \`${name}\` |`)),
    [],
  )
  const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text as string))
  assert.ok(examples.length > 0)
  assert.deepEqual(examples.map(complaintOf).filter(Boolean), [])
})
