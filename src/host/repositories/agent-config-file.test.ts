import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_AGENT_CONFIG } from '../../wire/agent-config.ts'
import { parseAgentConfig } from './agent-config-file.ts'

const refused = (text: string, message: RegExp) =>
  assert.throws(() => parseAgentConfig(text), { code: 'bad_input', message })

describe('parseAgentConfig', () => {
  it('gives the configuration, and the hive’s own without a file', () => {
    assert.deepEqual(parseAgentConfig(undefined), DEFAULT_AGENT_CONFIG)
    const { model, env } = parseAgentConfig('{ "model": "a:b\\":c", "env": { "A": "x:y", "B": { "secret": "s" } } }')
    assert.deepEqual([model, env], ['a:b":c', { A: 'x:y', B: { secret: 's' } }])
  })

  it('says which field is wrong, on one line', () => {
    refused('{ "limits": { "memoryMiB": 3 } }', /^agent\.json is wrong: limits\.memoryMiB: [^\n]+$/)
    refused('{ "schedules": [{ "cron": "x", "message": "m" }] }', /schedules\[0\]\.cron: must have five fields/)
    refused(
      '{ "schedules": [{ "cron": "0 9 * * 8", "message": "m" }] }',
      /schedules\[0\]\.cron: Invalid value for dayOfWeek: 8$/,
    )
    refused('{ "schedules": [{ "cron": "0 0 30 2 *", "message": "m" }] }', /schedules\[0\]\.cron: that day never comes/)
    refused('{ "mcpServers": { "hyperhive": { "command": "x" } } }', /mcpServers/)
    refused('{ "modell": "x" }', /modell/)
    refused('{\n"model": \n}', /^agent\.json is wrong: [^\n]+$/)
    refused('', /agent\.json is wrong/)
    refused('null', /agent\.json is wrong/)
  })

  it('refuses a key that stands in it twice, of which a reader sees the first', () => {
    refused('{ "model": "harmless", "model": "other" }', /a key stands in it twice/)
    refused('{ "env": { "A": "1", "\\u0041": "2" } }', /a key stands in it twice/)
    refused('{ "mcpServers": { "x": { "command": "a", "env": { "K": "1", "K": "2" } } } }', /a key stands in it twice/)
    refused('{ "model": "a", "__proto__": {} }', /agent\.json is wrong/)
  })

  it('refuses what is deeply nested without falling over', () => {
    refused(`{ "env": ${'['.repeat(100_000)}${']'.repeat(100_000)} }`, /agent\.json is wrong/)
  })
})
