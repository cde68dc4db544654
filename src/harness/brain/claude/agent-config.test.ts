import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findTestClaude } from '../../../../test/test-model.ts'
import { obey } from '../../../demo/scenarios/obey.ts'
import type { HarnessConfig } from '../../../wire/agent-config.ts'
import { type Bench, type Benches, type BrainSetup, openBenches, processesOf } from '../brain.contract.ts'
import type { Brain } from '../brain.ts'
import { openClaudeBrain } from './claude-brain.ts'

const WHERE = { call: 'mcp__extra__where', with: {} }
const rules = [
  {
    body: '^run ([^]+)$',
    do: [{ call: 'Bash', with: { command: '{1}', description: 'As told' } }, { say: '{result}' }],
  },
  { body: '^where$', do: [WHERE, { say: '{result}' }] },
]
/** What the tool server of the tests was given, as its tool says. */
const EXTRA = {
  command: process.execPath,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant as it is
  args: [join(import.meta.dirname, 'tool-server-for-tests.ts'), '${HOME} $1', "it's"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant as it is
  env: { GIVEN: 'a secret with ${HOME} and "quotes"' },
}

let benches: Benches
before(async () => {
  benches = await openBenches({ default: { ...obey, rules: [...rules, ...obey.rules] } })
})
after(() => benches[Symbol.asyncDispose]())
const timed = (name: string, work: () => Promise<void>) => test(name, { timeout: 60_000 }, work)

const settingsOf = (config: Partial<HarnessConfig>) => ({ keepWarmMs: 600_000, config: { mcpServers: {}, ...config } })
const open = (config: Partial<HarnessConfig>, serverStartMs?: number): Bench =>
  benches.open(
    ({ home, ...setup }: BrainSetup): Brain =>
      openClaudeBrain({
        ...setup,
        ...settingsOf(config),
        claudePath: findTestClaude(),
        cwd: join(home, 'work'),
        configDir: join(home, 'config'),
        tmpDir: home,
        model: 'haiku',
        systemPromptFile: join(home, 'role.md'),
        tools: ['Bash', 'Read'],
        askPermission: async () => ({ allowed: false, message: 'not in this test' }),
        sessionFile: join(home, 'session'),
        serverStartMs,
      }),
  )

describe('a tool server of an agent', () => {
  timed('is offered, may be called, and gets what its configuration says, to the letter', async () => {
    const { brain, home } = open({ mcpServers: { extra: EXTRA } })
    assert.deepEqual((await brain.check()).mcp, { hyperhive: 'ok', extra: 'ok' })
    const { reason, detail } = await brain.turn('where')
    assert.equal(reason, 'ok', detail)
    const expected = { given: EXTRA.env.GIVEN, args: EXTRA.args.slice(1), cwd: join(home, 'work') }
    assert.deepEqual(JSON.parse(detail), expected)
  })

  timed('has its secrets in no command line, and in a file that is the agent’s alone', async () => {
    const bench = open({ mcpServers: { extra: EXTRA } })
    await bench.brain.check()
    const lines = processesOf(bench).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    assert.ok(lines.some((line) => line.includes('--mcp-config=')))
    assert.ok(lines.every((line) => !line.includes('a secret')))
    assert.equal(statSync(join(bench.home, 'mcp.json')).mode & 0o777, 0o600)
  })

  timed('that cannot start is told with the reason, and harms neither the agent nor the others', async () => {
    const { brain } = open({
      mcpServers: {
        extra: EXTRA,
        missing: { command: '/nowhere/server', args: [], env: {} },
        exits: { command: process.execPath, args: ['-e', 'process.exit(3)'], env: {} },
        // The engine has names that it takes for itself.
        workspace: EXTRA,
      },
    })
    const { claude, mcp, detail } = await brain.check()
    const bad = 'error'
    assert.deepEqual(
      { claude, mcp },
      { claude: 'ok', mcp: { hyperhive: 'ok', extra: 'ok', missing: bad, exits: bad, workspace: bad } },
    )
    assert.match(detail, /tool server missing cannot be used: ENOENT/)
    assert.match(detail, /tool server exits cannot be used: Connection closed/)
    assert.match(detail, /tool server workspace cannot be used: claude takes no server of this name/)
    assert.match((await brain.turn('where')).detail, /"cwd"/)
  })

  timed('that never answers is given up, and the agent answers', async () => {
    const { brain } = open({ mcpServers: { silent: { command: 'sleep', args: ['600'], env: {} } } }, 1_000)
    const { claude, mcp, detail } = await brain.check()
    assert.deepEqual({ claude, mcp }, { claude: 'ok', mcp: { hyperhive: 'ok', silent: 'error' } })
    assert.match(detail, /tool server silent cannot be used: .*timed out after 1000ms/)
    assert.equal((await brain.turn('say here I am')).detail, 'here I am')
  })

  timed('is started anew with what has changed', async () => {
    const { brain, env } = open({ mcpServers: { extra: EXTRA } })
    assert.equal(JSON.parse((await brain.turn('where')).detail).given, EXTRA.env.GIVEN)
    const rotated = { ...EXTRA, env: { GIVEN: 'rotated' } }
    await brain.configure({ env, hangMs: 60_000, ...settingsOf({ mcpServers: { extra: rotated } }) })
    assert.equal(JSON.parse((await brain.turn('where')).detail).given, 'rotated')
    await brain.configure({ env, hangMs: 60_000, ...settingsOf({}) })
    assert.deepEqual((await brain.check()).mcp, { hyperhive: 'ok' })
  })
})

const DENIED = /not in this test/

describe('an agent whose Bash has patterns', () => {
  /** In a repository of its own. */
  const openGit = (): Bench => {
    const bench = open({ bash: ['git *'] })
    execFileSync('git', ['init', '--quiet', join(bench.home, 'work')])
    return bench
  }

  timed('runs what they mean, also when it is put together of such commands', async () => {
    const { brain } = openGit()
    for (const command of ['git status', 'git status --short; git --version', 'git status | git hash-object --stdin']) {
      assert.doesNotMatch((await brain.turn(`run ${command}`)).detail, DENIED, command)
    }
  })

  timed('runs nothing beside or within them', async () => {
    const { brain, home } = openGit()
    const commands = [
      'touch made',
      'git status && touch made',
      'git status; touch made',
      'git status & touch made',
      'git status | tee made',
      'git status > made',
      'git status 2> made',
      'git status $(touch made)',
      'git status "$(touch made)"',
      'git status `touch made`',
      'git status <(touch made)',
      'git status\ntouch made',
      'git status # and more\ntouch made',
      'git() { touch made; }; git status',
      'if git status; then touch made; fi',
      'GIT_EXTERNAL_DIFF="touch made" git diff',
      'sh -c "git status"',
      'eval git status',
      'gitk',
    ]
    for (const command of commands) assert.match((await brain.turn(`run ${command}`)).detail, DENIED, command)
    assert.ok(!existsSync(join(home, 'work', 'made')))
  })

  timed('still has what only reads its directory, and whatever an allowed command can do', async () => {
    const { brain, home } = openGit()
    writeFileSync(join(home, 'work', 'note'), 'read me')
    assert.equal((await brain.turn('run cat note')).detail, 'read me')
    assert.match((await brain.turn('run cat /etc/hostname')).detail, DENIED)
    // A pattern names a command, not what that can do.
    await brain.turn('run git diff --no-index --output=made /dev/null note')
    await brain.turn('run git -c alias.x="!touch made-too" x')
    assert.ok(['made', 'made-too'].every((name) => existsSync(join(home, 'work', name))))
  })

  timed('cannot allow itself more with settings that it writes', async () => {
    const { brain, home } = openGit()
    const work = join(home, 'work')
    const all = JSON.stringify({ permissions: { allow: ['Bash'], defaultMode: 'acceptEdits' } })
    mkdirSync(join(work, '.claude'))
    mkdirSync(join(home, 'config'))
    for (const name of ['settings.json', 'settings.local.json']) writeFileSync(join(work, '.claude', name), all)
    writeFileSync(join(home, 'config', 'settings.json'), all)
    const trusted = { hasTrustDialogAccepted: true, allowedTools: ['Bash'] }
    writeFileSync(join(home, 'config', '.claude.json'), JSON.stringify({ projects: { [work]: trusted } }))
    assert.match((await brain.turn('run touch made')).detail, DENIED)
    assert.match((await brain.turn('run mkdir made')).detail, DENIED)
    assert.ok(!existsSync(join(work, 'made')))
  })

  timed('has no Bash when there are none', async () => {
    const bench = open({ bash: [] })
    await bench.brain.turn('run touch made')
    assert.match(bench.conversation(), /No such tool available: Bash/)
    assert.ok(!existsSync(join(bench.home, 'work', 'made')))
  })
})
