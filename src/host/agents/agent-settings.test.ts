import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AgentConfig, DEFAULT_AGENT_CONFIG } from '../../wire/agent-config.ts'
import { agentEnvOf, harnessConfigOf, limitsOf, missingSecrets } from './agent-settings.ts'

const config = AgentConfig.parse({
  bash: ['git *'],
  env: { EDITOR: 'vi', GITHUB_TOKEN: { secret: 'github' } },
  mcpServers: {
    tickets: { command: 'node', args: ['/config/tickets.mjs'], env: { TOKEN: { secret: 'tickets' }, MODE: 'read' } },
    github: { command: 'gh-mcp', env: { TOKEN: { secret: 'github' } } },
  },
  limits: { memoryMiB: 2048, cpus: 0.5 },
})
const secrets = (name: string): string | undefined => ({ github: 'gh-1', tickets: 'ti-1' })[name]

describe('what a configuration makes of an agent', () => {
  test('its harness and its engine get the secrets that it names', () => {
    assert.deepEqual(harnessConfigOf(config, secrets), {
      bash: ['git *'],
      mcpServers: {
        tickets: { command: 'node', args: ['/config/tickets.mjs'], env: { TOKEN: 'ti-1', MODE: 'read' } },
        github: { command: 'gh-mcp', args: [], env: { TOKEN: 'gh-1' } },
      },
    })
    assert.deepEqual(agentEnvOf(config, secrets), { EDITOR: 'vi', GITHUB_TOKEN: 'gh-1' })
  })

  test('nothing, when it says nothing: every command, no other tools', () => {
    assert.deepEqual(harnessConfigOf(DEFAULT_AGENT_CONFIG, secrets), { mcpServers: {} })
    assert.deepEqual(agentEnvOf(DEFAULT_AGENT_CONFIG, secrets), {})
    assert.deepEqual(
      missingSecrets(DEFAULT_AGENT_CONFIG, () => false),
      [],
    )
  })

  test('no command at all is not the same as every command', () => {
    assert.deepEqual(harnessConfigOf(AgentConfig.parse({ bash: [] }), secrets), { mcpServers: {}, bash: [] })
  })

  test('whether it may ask the operator', () => {
    assert.equal(harnessConfigOf(AgentConfig.parse({ askOperator: true }), secrets).askOperator, true)
  })

  test('a secret that is missing is named, with what makes it', () => {
    assert.deepEqual(
      missingSecrets(config, () => false),
      ['github', 'tickets'],
    )
    assert.deepEqual(
      missingSecrets(config, (name) => name === 'github'),
      ['tickets'],
    )
    const expected = { code: 'bad_input', message: /TOKEN.*tickets/, hint: 'hive secret set tickets' }
    assert.throws(() => harnessConfigOf(config, () => undefined), expected)
    assert.throws(() => agentEnvOf(config, () => undefined), { code: 'bad_input', hint: 'hive secret set github' })
  })

  test('a secret may be empty', () => {
    assert.equal(agentEnvOf(config, () => '').GITHUB_TOKEN, '')
  })

  test('its limits stand for those of the hive, one by one', () => {
    const ofHive = { memoryBytes: 1024 ** 3, cpus: 2, pids: 100 }
    assert.deepEqual(limitsOf(config, ofHive), { memoryBytes: 2 * 1024 ** 3, cpus: 0.5, pids: 100 })
    assert.deepEqual(limitsOf(DEFAULT_AGENT_CONFIG, ofHive), ofHive)
  })
})
