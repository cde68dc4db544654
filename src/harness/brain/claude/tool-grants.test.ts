import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grantTools } from './tool-grants.ts'

const BUILTIN = ['Bash', 'Edit', 'Read']
const tickets = { command: 'node', args: [], env: {} }

test('without patterns every command runs, and the tools of every server', () => {
  assert.deepEqual(grantTools(BUILTIN, { mcpServers: { tickets } }), {
    tools: BUILTIN,
    allowedTools: ['Bash', 'Edit', 'Read', 'mcp__hyperhive', 'mcp__tickets'],
    projectSettings: true,
  })
})

test('with patterns only what they mean runs, and no settings of the agent count', () => {
  assert.deepEqual(grantTools(BUILTIN, { mcpServers: {}, bash: ['git *', 'npm test'] }), {
    tools: BUILTIN,
    allowedTools: ['Bash(git *)', 'Bash(npm test)', 'Edit', 'Read', 'mcp__hyperhive'],
    projectSettings: false,
  })
})

test('an empty list of patterns leaves no Bash', () => {
  assert.deepEqual(grantTools(BUILTIN, { mcpServers: {}, bash: [] }), {
    tools: ['Edit', 'Read'],
    allowedTools: ['Edit', 'Read', 'mcp__hyperhive'],
    projectSettings: false,
  })
})
