import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claudeArgv, claudeEnv } from './argv.ts'

const flags = {
  model: 'haiku',
  systemPromptFile: '/tmp/role.md',
  mcpConfigFile: '/tmp/mcp.json',
  grants: { tools: ['Bash', 'Read'], allowedTools: ['Bash', 'mcp__hyperhive'], projectSettings: true },
}
const id = '0b8f7d5e-1111-4222-8333-944445555666'

test('a session is named once and resumed from then on', () => {
  const begin = claudeArgv({ ...flags, session: { id, resume: false } })
  const resume = claudeArgv({ ...flags, session: { id, resume: true } })
  assert.deepEqual(begin, [
    '--print',
    '--input-format=stream-json',
    '--output-format=stream-json',
    '--verbose',
    '--include-partial-messages',
    '--model=haiku',
    '--append-system-prompt-file=/tmp/role.md',
    '--strict-mcp-config',
    '--mcp-config=/tmp/mcp.json',
    '--tools=Bash,Read',
    '--allowedTools=Bash,mcp__hyperhive',
    '--permission-prompt-tool=stdio',
    '--settings={"autoMemoryEnabled":false,"cleanupPeriodDays":3650,"includeCoAuthoredBy":false}',
    '--setting-sources=project',
    `--session-id=${id}`,
  ])
  assert.deepEqual(resume, begin.with(-1, `--resume=${id}`))
})

test('settings that the agent can write do not count where they might allow a command', () => {
  const grants = { ...flags.grants, projectSettings: false }
  assert.ok(claudeArgv({ ...flags, grants, session: { id, resume: false } }).includes('--setting-sources='))
})

test('the environment is the agent’s, without what belongs to an engine around this one', () => {
  const env = claudeEnv(
    {
      PATH: '/bin',
      ANTHROPIC_API_KEY: 'k',
      CLAUDE_CODE_OAUTH_TOKEN: 't',
      CLAUDECODE: '1',
      CLAUDE_CODE_ENTRYPOINT: 'cli',
      CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '0',
      CLAUDE_CODE_MAX_RETRIES: '1',
    },
    { configDir: '/root/.claude', tmpDir: '/tmp/hive', serverStartMs: 1 },
  )
  assert.equal(env.ANTHROPIC_API_KEY, 'k')
  assert.equal(env.CLAUDE_CODE_OAUTH_TOKEN, 't')
  assert.equal(env.CLAUDE_CODE_MAX_RETRIES, '1')
  assert.equal(env.CLAUDE_CODE_DISABLE_BACKGROUND_TASKS, '1')
  assert.equal(env.CLAUDE_CONFIG_DIR, '/root/.claude')
  assert.ok(!('CLAUDECODE' in env) && !('CLAUDE_CODE_ENTRYPOINT' in env))
  assert.ok(!('HOME' in env), 'nothing of our own')
})
